// What Gradio leaves unsaid to those who don't see the page, and undone for those who use it without a mouse.

function wanSet(node, name, value) {
  if (value === null) node?.removeAttribute(name);
  else if (node && node.getAttribute(name) !== value) node.setAttribute(name, value);
}

// What is drawn on a button says nothing more. While the page is built, changes come by the hundred.
let wanNaming = null;

function wanNameSoon() { wanNaming ??= setTimeout(wanName, 50); }

function wanName() {
  wanNaming = null;
  const all = (selector, within = document) => within.querySelectorAll(selector);
  const labelled = (block, selector) => block.querySelector(selector)?.textContent.trim().replace(/\s+/g, " ");
  for (const group of all("fieldset")) wanSet(group, "aria-label", labelled(group, '[data-testid="block-info"]') ?? null);
  for (const drawn of all("svg, .label-wrap .icon")) wanSet(drawn, "aria-hidden", "true");
  // Radio buttons of one name are one stop of the Tab key.
  for (const radio of all("#variations input")) wanSet(radio, "name", "variations");
  for (const field of all("#inputs :is(textarea, input)")) {
    wanSet(field, "aria-invalid", field.closest(".block")?.querySelector("div.validation-error") ? "true" : null);
  }
  wanFold();
}

function wanFold() {
  for (const button of document.querySelectorAll(".label-wrap")) {
    wanSet(button, "aria-expanded", String(button.nextElementSibling?.style.display !== "none"));
  }
}

// Screen readers pass over words that come together with the region that is to be read out, so one region stays. It says
// what is new in what is marked as said, once, when that has settled.
const wanVoice = document.createElement("p");
wanVoice.id = "voice";
wanVoice.className = "unseen";
wanVoice.setAttribute("role", "status");
const wanHeard = new Map();
let wanSpeaking;

function wanListen() {
  const now = new Map();
  for (const said of document.querySelectorAll(".said, div.validation-error")) {
    const place = said.closest(".block")?.id;
    now.set(place, `${now.get(place) ?? ""} ${said.textContent}`.trim());
  }
  const news = [...now].filter(([place, words]) => words && wanHeard.get(place) !== words).map(([, words]) => words);
  wanHeard.clear();
  for (const [place, words] of now) wanHeard.set(place, words);
  if (news.length) wanVoice.textContent = news.join(" ");
}

// Focus never falls back to the top of the page: where what had it is gone or disabled, its like or its heir takes it.
const wanHeirs = { findings: "#prompt textarea", history: "#history-heading h2", "token-forget": "#token-box input" };
let wanHad;

function wanNoteFocus() {
  const control = document.activeElement, block = control.closest(".block");
  const { event } = control.dataset;
  const like = event ? `[data-event="${event}"]` : "button:not([disabled])";
  wanHad = { control, block, like, index: block ? [...block.querySelectorAll(like)].indexOf(control) : 0 };
}

function wanKeepFocus() {
  if (!wanHad || ![document.body, wanHad.control].includes(document.activeElement)) return;
  const { control, block, like, index } = wanHad;
  if (control.isConnected && !control.disabled) return;
  const alike = block?.isConnected ? [...block.querySelectorAll(like)] : [];
  const heir = alike[Math.min(Math.max(index, 0), alike.length - 1)]
    ?? document.querySelector(wanHeirs[block?.id ?? control.id] ?? "#status");
  if (!heir?.checkVisibility()) return;
  if (heir.tabIndex < 0) heir.setAttribute("tabindex", "-1");
  heir.focus({ preventScroll: heir.id === "status" });
}

// What a press leads to may be out of sight, as on a phone, where the result is below the form.
const wanLeads = {
  "#generate, #anyway, #again, #use, #back, #settings-again, [data-event=retry], [data-event=select]": "#status",
  "[data-event=click][data-key]": "#result",
};
let wanLed = { to: null, until: 0 };

function wanLead(changes) {
  if (Date.now() > wanLed.until) return;
  const wrong = [...document.querySelectorAll("#inputs div.validation-error")];
  if (changes.some(({ addedNodes }) => [...addedNodes].some((node) => wrong.some((error) => node.contains(error))))) {
    wanLed.until = 0;
    setTimeout(wanPoint, 100);
  } else if (changes.some(({ target }) => target.closest?.(`${wanLed.to} .prose`))) wanArrive();
}

function wanArrive() {
  // The status is below the stage, and a run's bar lies on it.
  const place = document.querySelector(wanLed.to === "#status" ? "#stage-box" : wanLed.to), { top } = place.getBoundingClientRect();
  const isCut = document.querySelector(`${wanLed.to} .run`)?.getBoundingClientRect().bottom > innerHeight;
  wanLed.until = 0;
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
  if (top < 0 || top > innerHeight * 0.6 || isCut) place.scrollIntoView({ behavior, block: "start" });
}

// A failure is said below the picture, which may fill a phone's screen.
function wanShowFailure(changes) {
  const failure = document.querySelector("#status .run-failed");
  if (!failure || !changes.some(({ addedNodes }) => [...addedNodes].some((node) => node.contains(failure)))) return;
  failure.scrollIntoView({ behavior: "instant", block: "nearest" });
}

// To the first field that is to be fixed.
function wanPoint() {
  const block = document.querySelector("#inputs div.validation-error")?.closest(".block");
  if (!block) return;
  setTimeout(() => block.querySelector("textarea, input:not([type=file]), button:not(:has(button), .validation-error *)")?.focus());
}

// Gradio takes away what it says of a field as soon as any call is answered. It stays until the field changes, the cross
// on it is pressed, or Generate is.
const WAN_WRONG = "div.validation-error:not(.stays, .stays *)";
const wanWrong = new Map();

function wanValue(block) {
  const field = block.querySelector("textarea, input:not([type=file])");
  return field ? field.value : `${block.querySelector("[data-state]")?.dataset.state} ${block.querySelector("img")?.src}`;
}

function wanForgetWrong(blocks) {
  for (const block of blocks) {
    wanWrong.get(block)?.said.remove();
    wanWrong.delete(block);
  }
}

function wanHoldWrong(changes) {
  if (!wanWrong.size && !document.querySelector(WAN_WRONG)) return;
  for (const { target, addedNodes, removedNodes } of changes) {
    const block = target.closest?.("#inputs .block");
    if (!block) continue;
    for (const node of addedNodes) {
      if (!node.matches?.(WAN_WRONG)) continue;
      wanForgetWrong([block]);
      const whole = node.closest("[data-testid=status-tracker]") ?? node, said = whole.cloneNode(true);
      said.classList.add("stays");
      wanWrong.set(block, { said, place: whole.parentElement, value: wanValue(block) });
    }
    const gone = [...removedNodes].some((node) => node.matches?.(WAN_WRONG));
    const wrong = wanWrong.get(block);
    if (gone && wrong) wrong.place.append(wrong.said);
  }
  wanForgetWrong([...wanWrong].filter(([block, { value }]) => wanValue(block) !== value).map(([block]) => block));
}

document.addEventListener("input", () => wanHoldWrong([]));
document.addEventListener("focusin", wanNoteFocus);

// Gradio leaves a list of options open where Tab leads out of its field.
document.addEventListener("focusout", ({ target }) => {
  if (!target.matches?.("#image-size input")) return;
  setTimeout(() => {
    if (document.activeElement === target || !document.querySelector('[role="option"]')) return;
    target.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
  }, 200);
});
document.addEventListener("click", ({ target }) => {
  if (target.closest?.(".label-wrap")) setTimeout(wanFold, 50);
  if (target.closest?.("#generate, #anyway")) wanForgetWrong([...wanWrong.keys()]);
  else if (target.closest?.("div.validation-error button")) wanForgetWrong([target.closest(".block")]);
  for (const [pressed, to] of Object.entries(wanLeads)) {
    const button = target.closest?.(pressed);
    if (!button) continue;
    wanLed = { to, until: Date.now() + 30000 };
    // What is shown already does not change.
    if (to === "#result" && button.getAttribute("aria-pressed") === "true") wanArrive();
  }
}, true);

new MutationObserver((changes) => {
  if (!wanVoice.isConnected) document.body.append(wanVoice);
  if (changes.every(({ target }) => wanVoice.contains(target) || target.closest?.(".run-time"))) return;
  wanHoldWrong(changes);
  wanNameSoon();
  wanLead(changes);
  wanShowFailure(changes);
  wanKeepFocus();
  clearTimeout(wanSpeaking);
  wanSpeaking = setTimeout(wanListen, 300);
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["disabled", "data-state"] });
