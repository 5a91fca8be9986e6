// The parts of the page that work in the browser alone.

let wanSawWaiting = false;

// The tab's title shows the state of the run; a sound, if it is switched on, marks the end of one.
function wanUpdateTitle(run) {
  window.wanTitle ??= document.title;
  const { state } = run?.dataset ?? {};
  const title = run?.dataset.title?.replace("{clock}", wanClock(run));
  document.title = title ? `${title} · ${window.wanTitle}` : window.wanTitle;
  if (state === "waiting") wanSawWaiting = true;
  else if (state && wanSawWaiting) {
    wanSawWaiting = false;
    if (window.wanSoundOn) wanChime(state === "finished" ? [660, 880] : [330, 262]);
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
  window.wanSoundOn = on;
  if (on) wanChime([660, 880]);
};

// The run that is shown is marked wherever it can be chosen.
function wanMarkShownRun() {
  const shown = document.querySelector("#result [data-shown]")?.dataset.shown;
  for (const button of document.querySelectorAll('[data-event="click"][data-key]')) {
    button.setAttribute("aria-pressed", button.dataset.key === shown);
  }
}

new MutationObserver((changes) => {
  if (changes.some(({ target }) => target.closest?.("#status"))) wanUpdateTitle(document.querySelector("#status .run"));
  if (changes.some(({ target }) => target.closest?.("#result, #filmstrip, #history"))) wanMarkShownRun();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-title", "data-shown"] });

// oxlint-disable-next-line no-unused-vars -- store.js calls it when the form changes
function wanShowLength(id, text) {
  const count = document.querySelector(`#${id} .count`);
  if (!count) return;
  // Tidied and counted in code points, as on the server; trim() would remove a byte order mark and leave U+0085.
  // oxlint-disable-next-line no-control-regex -- Python takes these for blanks as well
  const blanks = /^[\p{White_Space}\x1c-\x1f]+|[\p{White_Space}\x1c-\x1f]+$/gu;
  const tidy = (text ?? "").replace(/\r\n?/g, "\n").normalize("NFC").replace(blanks, "");
  const length = Array.from(tidy).length;
  const limit = Number(count.dataset.limit);
  count.textContent = `${length.toLocaleString("en")} / ${limit.toLocaleString("en")}`;
  count.classList.toggle("over", length > limit);
}

// A starter is appended to the prompt, and its placeholder is selected, ready to be typed over.
function wanInsertStarter(starter) {
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
function wanInsertName(name) {
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
  if (insert) wanInsertName(insert);
  else if (start) wanInsertStarter(start);
  else if (choose) wanSlots[choose - 1].choose();
  else if (link) wanCopy(button, new URL(link, location.href.split("?")[0]).href, copied);
  else if (text) wanCopy(button, text, copied);
  else wanCopy(button, button.closest(".snippet").querySelector("pre").textContent, copy);
});

// Ctrl+Enter or ⌘+Enter submits, but not while an input method is composing a character.
document.addEventListener("keydown", (event) => {
  const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing;
  if (sends && event.target.closest?.("#inputs")) {
    event.preventDefault();
    document.querySelector("#generate:not([disabled])")?.click();
  }
});

// The seconds of a run are counted here. The server's clock may differ from this one.
let wanClockOffset = 0;
fetch("livez", { method: "HEAD", cache: "no-store" }).then(({ headers }) => {
  const there = Date.parse(headers.get("date"));
  if (there) wanClockOffset = there - Date.now();
}).catch(() => { /* the clocks are taken as equal */ });

function wanSince(start) { return Math.max(0, (Date.now() + wanClockOffset) / 1000 - Number(start)); }

function wanClock(run) {
  const start = run.querySelector(".clock")?.dataset.start;
  if (!start) return "";
  const seconds = Math.floor(wanSince(start));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function wanUpdateBar() {
  const run = document.querySelector("#status .run-waiting");
  if (!run) return;
  const clock = run.querySelector(".clock"), bar = run.querySelector(".bar"), { since, until } = bar.dataset;
  if (clock.textContent !== wanClock(run)) {
    clock.textContent = wanClock(run);
    wanUpdateTitle(run);
  }
  if (!until) return;
  // Only the server says that a run has finished.
  const share = Math.min(wanSince(since) / (until - since), 0.97);
  const before = Number(bar.style.getPropertyValue("--before")), weight = Number(bar.style.getPropertyValue("--weight"));
  bar.style.setProperty("--share", share);
  bar.setAttribute("data-known", "");
  bar.setAttribute("aria-valuenow", Math.round(100 * (before + share * weight)));
  const seconds = Math.ceil((until - (Date.now() + wanClockOffset) / 1000) / 5) * 5;
  const words = seconds > 0 ? window.wanWords["run.left"].replace("{seconds}", seconds) : "";
  if (run.querySelector(".left").textContent !== words) run.querySelector(".left").textContent = words;
}
setInterval(wanUpdateBar, 500);

// While a run goes on there is an update at least every 15 seconds. If none comes for much longer, as after a restart of
// the server or a phone's sleep, the page is reloaded once the server answers; it keeps the form and the runs.
let wanSilentTicks = 0;
new MutationObserver((changes) => {
  if (changes.some(({ target }) => !target.closest?.(".run-time"))) wanSilentTicks = 0;
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-beat"] });
setInterval(async () => {
  wanSilentTicks += 1;
  if (wanSilentTicks < 13 || !document.querySelector('#status [data-state="waiting"]')) return;
  wanSilentTicks = 0;
  try {
    if ((await fetch("readyz", { cache: "no-store" })).ok) location.reload();
  } catch { /* not yet */ }
}, 3000);

// Gradio's own messages, which are in English in every language.
const WAN_TOASTS = {
  "Connection to the server was lost": "toast.lost",
  "This application is currently busy": "toast.busy",
  "Could not parse server response": "toast.unread",
  "An Unexpected Error Occurred": "toast.unread",
};

function wanSetText(text, words) {
  if (text.data !== words) text.data = words;
}

new MutationObserver(() => {
  for (const toast of document.querySelectorAll("[data-testid=toast-body]")) {
    const title = toast.querySelector(".toast-title").firstChild;
    if (title.data?.trim() === "Error") wanSetText(title, `${window.wanWords["toast.error"]} `);
    toast.querySelector("[data-testid=toast-close]").setAttribute("aria-label", window.wanWords["toast.close"]);
    for (const { firstChild: text } of toast.querySelectorAll("[data-testid=toast-text]")) {
      const said = Object.keys(WAN_TOASTS).find((words) => text?.data?.startsWith(words));
      if (said) wanSetText(text, window.wanWords[WAN_TOASTS[said]]);
    }
  }
}).observe(document, { subtree: true, childList: true, characterData: true });

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
