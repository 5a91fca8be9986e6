// What the browser does without asking the server.

let wanAsked = false;

// The tab says what is happening, and a sound that something has ended, if that was asked for.
function wanTell(run) {
  window.wanTitle ??= document.title;
  const { state, title } = run?.dataset ?? {};
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
  if (changes.some(({ target }) => target.closest?.("#result, #takes, #history"))) wanMark();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-title", "data-shown"] });

window.wanCount = (id, text) => {
  const count = document.querySelector(`#${id} .count`);
  if (!count) return;
  // Tidied and counted in code points, as the server does; trim() would take a byte order mark and leave U+0085.
  const blanks = /^[\p{White_Space}\x1c-\x1f]+|[\p{White_Space}\x1c-\x1f]+$/gu;
  const tidy = (text ?? "").replace(/\r\n?/g, "\n").normalize("NFC").replace(blanks, "");
  const length = Array.from(tidy).length;
  const limit = Number(count.dataset.limit);
  count.textContent = `${length.toLocaleString("en")} / ${limit.toLocaleString("en")}`;
  count.classList.toggle("over", length > limit);
};

// A starter goes to the end of what is there, and what it leaves open is selected, ready to be typed over.
window.wanStart = (text, starter) => {
  const all = text?.trim() ? `${text.trimEnd()}\n${starter}` : starter;
  setTimeout(() => {
    const box = document.querySelector("#prompt textarea");
    const open = all.indexOf("[", all.length - starter.length);
    box.focus();
    box.setSelectionRange(open < 0 ? all.length : open, open < 0 ? all.length : all.indexOf("]", open) + 1);
  }, 50);
  return all;
};

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
  const button = target.closest?.("[data-insert], [data-copy], [data-link], [data-text], [data-choose]");
  if (!button) return;
  const { insert, copy, link, text, copied, choose } = button.dataset;
  if (insert) wanInsert(insert);
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

// While a run goes on there is news every second. Where it stays away, as after a restart of the server or a night in
// a pocket, the page is opened anew as soon as the server answers: the form and the runs are kept.
let wanSilent = 0;
new MutationObserver(() => { wanSilent = 0; }).observe(document, { subtree: true, childList: true, characterData: true });
setInterval(async () => {
  wanSilent += 1;
  if (wanSilent < 6 || !document.querySelector('#status [data-state="waiting"]')) return;
  wanSilent = 0;
  try {
    if ((await fetch("healthz", { cache: "no-store" })).ok) location.reload();
  } catch { /* not yet */ }
}, 3000);
