// The storage of a visitor's runs, form and uploads: the browser's, or this tab's where that is refused.

// The state that the tab kept before this page view. A change of language makes a new history entry, so the state is
// then passed on in the window's name, which is cleared at once.
const wanRestoredState = window.history.state?.wan ?? (window.name.startsWith("wan:") ? JSON.parse(window.name.slice(4)) : {});
if (window.name.startsWith("wan:")) window.name = "";
document.addEventListener("click", ({ target }) => {
  if (target.closest?.(".languages a") && window.history.state?.wan) window.name = `wan:${JSON.stringify(window.history.state.wan)}`;
});

// One area of the browser's storage. Where that is refused or full, the page keeps the item in its memory, and in the
// tab's history entry, which survives a reload but not the closing of the tab.
class WanArea {
  #name;
  #memory;

  constructor(name) {
    this.#name = name;
    this.#memory = new Map(wanRestoredState[name] ?? []);
    this.set("wan-probe", "1");
    this.remove("wan-probe");
    if (this.#memory.size) this.#note();
  }

  // Whether everything is kept by the browser.
  lasts = true;

  get(name) {
    if (this.#memory.has(name)) return this.#memory.get(name);
    try { return window[this.#name].getItem(name); } catch { return null; }
  }

  set(name, value) {
    try {
      window[this.#name].setItem(name, value);
      if (this.#memory.delete(name)) this.#note();
    } catch {
      this.lasts = false;
      this.#memory.set(name, value);
      this.#note();
    }
  }

  remove(name) {
    try { window[this.#name].removeItem(name); } catch { /* not there either */ }
    if (this.#memory.delete(name)) this.#note();
  }

  starting(beginning) {
    const found = new Map();
    try {
      for (const [name, value] of Object.entries(window[this.#name])) found.set(name, value);
    } catch { /* refused: everything is in the memory */ }
    return [...found, ...this.#memory].filter(([name]) => name.startsWith(beginning)).map(([, value]) => value);
  }

  #note() {
    const state = window.history.state ?? {};
    try {
      window.history.replaceState({ ...state, wan: { ...state.wan, [this.#name]: [...this.#memory] } }, "");
    } catch { /* too large, or refused: only the memory has it */ }
  }
}

const wanLocal = new WanArea("localStorage"), wanTab = new WanArea("sessionStorage");
document.documentElement.classList.toggle("keeps-nothing", !wanLocal.lasts);

function wanUploads() {
  try { return JSON.parse(wanLocal.get("wan-uploads") ?? "[]"); } catch { return []; }
}

// The files that this browser uploaded, so that "Forget everything" can delete them.
function wanNoteUploads(uploads) {
  wanLocal.set("wan-uploads", JSON.stringify([...new Set([...wanUploads(), ...uploads])].slice(-300)));
}

// Everything that is stored, as a handler's input.
window.wanKept = () => JSON.stringify({
  runs: wanLocal.starting("wan-run-"), draft: wanTab.get("wan-draft"), uploads: wanUploads(), lasts: wanLocal.lasts,
  variations: Number(wanTab.get("wan-variations") ?? 1),
});

// The results with a star, by their runs' keys, in the order that they are shown and taken away in.
function wanStarred() {
  try {
    const keys = JSON.parse(wanLocal.get("wan-starred") ?? "[]");
    return Array.isArray(keys) ? keys.filter((key) => typeof key === "string") : [];
  } catch { return []; }
}

function wanSetStarred(keys) {
  if (keys.length) wanLocal.set("wan-starred", JSON.stringify(keys.slice(0, 40)));
  else wanLocal.remove("wan-starred");
  document.dispatchEvent(new Event("wan-starred"));
}

// The empty form. Until the server has sent it, no value of a field counts as a draft.
let wanUntouchedForm = null;

// Stores the server's note about runs: each run in an item of its own, so that two tabs never overwrite each other's.
function wanStoreNote(said) {
  for (const [key, entry] of Object.entries(said.keep)) wanLocal.set(`wan-run-${key}`, entry);
  for (const key of said.drop) wanLocal.remove(`wan-run-${key}`);
  const starred = wanStarred(), left = starred.filter((key) => !said.drop.includes(key));
  if (left.length < starred.length) wanSetStarred(left);
  if (said.uploads.length) wanNoteUploads(said.uploads);
  if (said.everything) {
    wanLocal.remove("wan-uploads");
    wanLocal.remove("wan-starred");
    wanTab.remove("wan-draft");
  }
  if (said.untouched) {
    wanUntouchedForm = JSON.stringify(JSON.parse(said.untouched));
    if (said.draft) wanTab.set("wan-draft", said.draft);
    wanLeaveLink();
    window.wanPageIsThere();
  }
}

// The draft is stored as the form changes, by this tab alone and without the server, which may be away.
window.wanForm = (...values) => {
  const names = ["prompt", "image_1", "image_2", "image_3", "negative_prompt", "image_size", "seed", "prompt_extend"];
  // While the server is away Gradio passes no values: the listener below stores the words.
  if (values.length < names.length) return;
  const form = Object.fromEntries(names.map((name, index) => [name, values[index]]));
  wanShowLength("prompt-count", form.prompt);
  wanShowLength("negative-prompt-count", form.negative_prompt);
  for (const slot of ["image_1", "image_2", "image_3"]) form[slot] = form[slot] === WAN_PENDING ? null : form[slot] || null;
  const draft = JSON.stringify(form);
  wanCloseRequest(draft);
  if (!wanUntouchedForm) return;
  if (draft === wanUntouchedForm) wanTab.remove("wan-draft");
  else wanTab.set("wan-draft", draft);
};

// An open preview is of the request before the change. Closed here and not by the server, whose answer may come after
// it was opened again.
let wanLastForm = "";
function wanCloseRequest(form) {
  const button = document.querySelector("#request-box > button[aria-expanded=true]");
  if (form !== wanLastForm) button?.click();
  wanLastForm = form;
}

document.addEventListener("input", ({ target }) => {
  const name = { prompt: "prompt", "negative-prompt": "negative_prompt" }[target.closest?.("#prompt, #negative-prompt")?.id];
  if (!name || !wanUntouchedForm) return;
  const form = JSON.parse(wanTab.get("wan-draft") ?? wanUntouchedForm);
  form[name] = target.value;
  wanTab.set("wan-draft", JSON.stringify(form));
});

// The link's settings are in the form by now. They leave the address, or a reload would undo later changes.
function wanLeaveLink() {
  const address = new URL(location.href);
  const given = [...address.searchParams.keys()]; // a copy, as the loop deletes from what it reads
  for (const name of given) {
    if (!["lang", "present", "__theme", "__sign"].includes(name)) address.searchParams.delete(name);
  }
  if (address.href === location.href) return;
  try {
    window.history.replaceState(window.history.state, "", address);
  } catch { /* a frame without an origin of its own */ }
}

new MutationObserver(() => {
  for (const note of document.querySelectorAll("#notes data, #draft data")) {
    if (note.wanHandled === note.value) continue;
    note.wanHandled = note.value;
    wanStoreNote(JSON.parse(note.value));
  }
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["value"] });
