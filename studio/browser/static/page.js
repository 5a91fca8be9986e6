// What the browser does without asking the server.

let wanAsked = false;

// The tab says what is happening, and a sound that something has ended, if that was asked for.
function wanTell(run) {
  window.wanTitle ??= document.title;
  const { state } = run?.dataset ?? {};
  const title = run?.dataset.title?.replace("{clock}", wanClock(run));
  document.title = title ? `${title} · ${window.wanTitle}` : window.wanTitle;
  if (state === "waiting") wanAsked = true;
  else if (state && wanAsked) {
    wanAsked = false;
    if (window.wanHears) wanChime(state === "finished" ? [660, 880] : [330, 262]);
  }
}

function wanChime(tones) {
  const context = new AudioContext();
  tones.forEach((tone, index) => {
    const [voice, volume, start] = [context.createOscillator(), context.createGain(), context.currentTime + index * 0.18];
    voice.frequency.value = tone;
    volume.gain.setValueAtTime(0.12, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.5);
    voice.connect(volume).connect(context.destination);
    voice.start(start);
    voice.stop(start + 0.5);
  });
}

window.wanSound = (on) => {
  window.wanHears = on;
  if (on) wanChime([660, 880]);
};

// The run that is shown is marked wherever it can be chosen.
function wanMark() {
  const shown = document.querySelector("#result [data-shown]")?.dataset.shown;
  for (const button of document.querySelectorAll('[data-event="click"][data-key]')) {
    button.setAttribute("aria-pressed", button.dataset.key === shown);
  }
}

new MutationObserver((changes) => {
  if (changes.some(({ target }) => target.closest?.("#status"))) wanTell(document.querySelector("#status .run"));
  if (changes.some(({ target }) => target.closest?.("#result, #filmstrip, #history"))) wanMark();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-title", "data-shown"] });

// oxlint-disable-next-line no-unused-vars -- store.js, which hears of the form's changes, calls it
function wanCount(id, text) {
  const count = document.querySelector(`#${id} .count`);
  if (!count) return;
  // Tidied and counted in code points, as the server does; trim() would take a byte order mark and leave U+0085.
  // oxlint-disable-next-line no-control-regex -- Python takes these for blanks as well
  const blanks = /^[\p{White_Space}\x1c-\x1f]+|[\p{White_Space}\x1c-\x1f]+$/gu;
  const tidy = (text ?? "").replace(/\r\n?/g, "\n").normalize("NFC").replace(blanks, "");
  const length = Array.from(tidy).length;
  const limit = Number(count.dataset.limit);
  count.textContent = `${length.toLocaleString("en")} / ${limit.toLocaleString("en")}`;
  count.classList.toggle("over", length > limit);
}

// A starter goes to the end of what is there, and what it leaves open is selected, ready to be typed over.
function wanStart(starter) {
  document.querySelector("#extend-hint").classList.add("suggested");
  const box = document.querySelector("#prompt textarea");
  const all = box.value.trim() ? `${box.value.trimEnd()}\n${starter}` : starter;
  const open = all.indexOf("[", all.length - starter.length);
  box.value = all;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
  box.setSelectionRange(open < 0 ? all.length : open, open < 0 ? all.length : all.indexOf("]", open) + 1);
}

// A picture's name goes into the prompt where the cursor is, with blanks around it where words are parted by them.
function wanInsert(name) {
  const box = document.querySelector("#prompt textarea");
  const [before, after] = [box.value.slice(0, box.selectionStart), box.value.slice(box.selectionEnd)];
  const blank = (text, at) => (text && /[\p{L}\p{N}]/u.test(text.at(at)) && /[a-z가-힣]/i.test(name) ? " " : "");
  box.setRangeText(blank(before, -1) + name + blank(after, 0), box.selectionStart, box.selectionEnd, "end");
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
}

async function wanCopy(button, text, said) {
  const label = button.wanLabel ??= button.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A frame may be refused the clipboard, but not a selection's copy.
    const box = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
    button.focus();
  }
  button.textContent = said;
  setTimeout(() => { button.textContent = label; }, 2000);
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-insert], [data-start], [data-copy], [data-link], [data-text], [data-choose]");
  if (!button) return;
  const { insert, start, copy, link, text, copied, choose } = button.dataset;
  if (insert) wanInsert(insert);
  else if (start) wanStart(start);
  else if (choose) wanSlots[choose - 1].choose();
  else if (link) wanCopy(button, new URL(link, location.href.split("?")[0]).href, copied);
  else if (text) wanCopy(button, text, copied);
  else wanCopy(button, button.closest(".snippet").querySelector("pre").textContent, copy);
});

// Ctrl+Enter or ⌘+Enter sends; never while an input method is still composing a character.
document.addEventListener("keydown", (event) => {
  const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing;
  if (sends && event.target.closest?.("#inputs")) {
    event.preventDefault();
    document.querySelector("#generate:not([disabled])")?.click();
  }
});

// The seconds of a run are counted here. The server's clock may differ from this one.
let wanAhead = 0;
fetch("livez", { method: "HEAD", cache: "no-store" }).then(({ headers }) => {
  const there = Date.parse(headers.get("date"));
  if (there) wanAhead = there - Date.now();
}).catch(() => { /* taken for the same */ });

function wanSince(start) { return Math.max(0, (Date.now() + wanAhead) / 1000 - Number(start)); }

function wanClock(run) {
  const start = run.querySelector(".clock")?.dataset.start;
  if (!start) return "";
  const seconds = Math.floor(wanSince(start));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function wanTick() {
  const run = document.querySelector("#status .run-waiting");
  if (!run) return;
  const clock = run.querySelector(".clock"), bar = run.querySelector(".bar"), { since, until } = bar.dataset;
  if (clock.textContent !== wanClock(run)) {
    clock.textContent = wanClock(run);
    wanTell(run);
  }
  if (!until) return;
  // It is not finished before the server says so.
  const share = Math.min(wanSince(since) / (until - since), 0.97);
  const before = Number(bar.style.getPropertyValue("--before")), weight = Number(bar.style.getPropertyValue("--weight"));
  bar.style.setProperty("--share", share);
  bar.setAttribute("data-known", "");
  bar.setAttribute("aria-valuenow", Math.round(100 * (before + share * weight)));
  const seconds = Math.ceil((until - (Date.now() + wanAhead) / 1000) / 5) * 5;
  const words = seconds > 0 ? window.wanWords["run.left"].replace("{seconds}", seconds) : "";
  if (run.querySelector(".left").textContent !== words) run.querySelector(".left").textContent = words;
}
setInterval(wanTick, 500);

// While a run goes on there is news at least every 15 seconds. Where it stays away for much longer, as after a restart of
// the server or a night in a pocket, the page is opened anew as soon as the server answers: the form and the runs are kept.
let wanSilent = 0;
new MutationObserver((changes) => {
  if (changes.some(({ target }) => !target.closest?.(".run-time"))) wanSilent = 0;
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-beat"] });
setInterval(async () => {
  wanSilent += 1;
  if (wanSilent < 13 || !document.querySelector('#status [data-state="waiting"]')) return;
  wanSilent = 0;
  try {
    if ((await fetch("readyz", { cache: "no-store" })).ok) location.reload();
  } catch { /* not yet */ }
}, 3000);

// What Gradio says by itself, which is in English in every language.
const WAN_TOASTS = {
  "Connection to the server was lost": "toast.lost",
  "This application is currently busy": "toast.busy",
  "Could not parse server response": "toast.unread",
  "An Unexpected Error Occurred": "toast.unread",
};

function wanSay(text, words) {
  if (text.data !== words) text.data = words;
}

new MutationObserver(() => {
  for (const toast of document.querySelectorAll("[data-testid=toast-body]")) {
    const title = toast.querySelector(".toast-title").firstChild;
    if (title.data?.trim() === "Error") wanSay(title, `${window.wanWords["toast.error"]} `);
    toast.querySelector("[data-testid=toast-close]").setAttribute("aria-label", window.wanWords["toast.close"]);
    for (const { firstChild: text } of toast.querySelectorAll("[data-testid=toast-text]")) {
      const said = Object.keys(WAN_TOASTS).find((words) => text?.data?.startsWith(words));
      if (said) wanSay(text, window.wanWords[WAN_TOASTS[said]]);
    }
  }
}).observe(document, { subtree: true, childList: true, characterData: true });

// Single keys lead to places, outside fields, and unless they are switched off.
let wanKeys = wanLocal.get("wan-shortcuts") !== "off";
window.wanShortcuts = (on) => {
  wanKeys = on;
  wanLocal.set("wan-shortcuts", on ? "on" : "off");
};

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (!wanKeys || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.closest?.("input:not([type=checkbox], [type=range]), textarea, select, [contenteditable], dialog")) return;
  const place = { g: "#prompt textarea", r: "#result .viewer-stage input" }[key.toLowerCase()];
  if (key === "?") {
    const fold = document.querySelector("#more > button");
    if (fold?.getAttribute("aria-expanded") !== "true") fold?.click();
    setTimeout(() => document.querySelector("#shortcuts input")?.focus(), 100);
  } else if (place) document.querySelector(place)?.focus();
  else return;
  event.preventDefault();
});

// An example fills the form, which on a phone is out of sight.
document.addEventListener("click", ({ target }) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
  if (target.closest?.("#generate, #anyway, #again, #code-fetch, [data-event]:not(.example)")) document.querySelector("#outputs").classList.add("asked");
  if (!target.closest?.(".example")) return;
  const form = document.querySelector("#pictures");
  if (form.getBoundingClientRect().top < 0) {
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
    form.scrollIntoView({ behavior, block: "start" });
  }
});
