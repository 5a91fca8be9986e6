// What Gradio lacks for people who use a screen reader or no mouse: names, announcements and focus.

function wanSetAttribute(node, name, value) {
  if (value === null) node?.removeAttribute(name);
  else if (node && node.getAttribute(name) !== value) node.setAttribute(name, value);
}

// Drawings on buttons are hidden from screen readers. The timer collects the many changes while the page is built.
let wanLabelTimer = null;

function wanLabelControlsSoon() { wanLabelTimer ??= setTimeout(wanLabelControls, 50); }

function wanLabelControls() {
  wanLabelTimer = null;
  const all = (selector, within = document) => within.querySelectorAll(selector);
  const labelled = (block, selector) => block.querySelector(selector)?.textContent.trim().replace(/\s+/g, " ");
  for (const group of all("fieldset")) wanSetAttribute(group, "aria-label", labelled(group, '[data-testid="block-info"]') ?? null);
  for (const drawn of all("svg, .label-wrap .icon")) wanSetAttribute(drawn, "aria-hidden", "true");
  // Radio buttons need a common name to be one stop of the Tab key.
  for (const radio of all("#variations input")) wanSetAttribute(radio, "name", "variations");
  for (const field of all("#inputs :is(textarea, input)")) {
    wanSetAttribute(field, "aria-invalid", field.closest(".block")?.querySelector("div.validation-error") ? "true" : null);
  }
  wanUpdateExpanded();
}

function wanUpdateExpanded() {
  for (const button of document.querySelectorAll(".label-wrap")) {
    wanSetAttribute(button, "aria-expanded", String(button.nextElementSibling?.style.display !== "none"));
  }
}

// Screen readers ignore words that arrive together with their live region, so one region stays. It announces once, when
// the page has settled, what is new in the elements with the class "said".
const wanLiveRegion = document.createElement("p");
wanLiveRegion.id = "voice";
wanLiveRegion.className = "unseen";
wanLiveRegion.setAttribute("role", "status");
const wanAnnounced = new Map();
let wanAnnounceTimer;

function wanAnnounce() {
  const now = new Map();
  for (const said of document.querySelectorAll(".said, div.validation-error")) {
    const place = said.closest(".block")?.id;
    now.set(place, `${now.get(place) ?? ""} ${said.textContent}`.trim());
  }
  const news = [...now].filter(([place, words]) => words && wanAnnounced.get(place) !== words).map(([, words]) => words);
  wanAnnounced.clear();
  for (const [place, words] of now) wanAnnounced.set(place, words);
  if (news.length) wanLiveRegion.textContent = news.join(" ");
}

// If the focused control disappears or is disabled, focus a similar one, else its fallback.
const wanFocusFallbacks = { findings: "#prompt textarea", history: "#history-heading h2", "token-forget": "#token-box input" };
let wanLastFocus;

function wanNoteFocus() {
  const control = document.activeElement, block = control.closest(".block");
  const { event } = control.dataset;
  const like = event ? `[data-event="${event}"]` : "button:not([disabled])";
  wanLastFocus = { control, block, like, index: block ? [...block.querySelectorAll(like)].indexOf(control) : 0 };
}

function wanKeepFocus() {
  if (!wanLastFocus || ![document.body, wanLastFocus.control].includes(document.activeElement)) return;
  const { control, block, like, index } = wanLastFocus;
  if (control.isConnected && !control.disabled) return;
  const alike = block?.isConnected ? [...block.querySelectorAll(like)] : [];
  const next = alike[Math.min(Math.max(index, 0), alike.length - 1)]
    ?? document.querySelector(wanFocusFallbacks[block?.id ?? control.id] ?? "#status");
  if (!next?.checkVisibility()) return;
  if (next.tabIndex < 0) next.setAttribute("tabindex", "-1");
  next.focus({ preventScroll: next.id === "status" });
}

// A press changes a part of the page that may be out of sight, as on a phone, where the result is below the form.
const wanScrollTargets = {
  "#generate, #anyway, #again, #use, #back, #settings-again, [data-event=retry], [data-event=select]": "#status",
  "[data-event=click][data-key]": "#result",
};
let wanPendingScroll = { to: null, until: 0 };

function wanScrollWhenChanged(changes) {
  if (Date.now() > wanPendingScroll.until) return;
  const wrong = [...document.querySelectorAll("#inputs div.validation-error")];
  if (changes.some(({ addedNodes }) => [...addedNodes].some((node) => wrong.some((error) => node.contains(error))))) {
    wanPendingScroll.until = 0;
    setTimeout(wanFocusFirstError, 100);
  } else if (changes.some(({ target }) => target.closest?.(`${wanPendingScroll.to} .prose`))) wanScrollToTarget();
}

function wanScrollToTarget() {
  // The status is below the stage, and a run's bar lies over the stage.
  const place = document.querySelector(wanPendingScroll.to === "#status" ? "#stage-box" : wanPendingScroll.to), { top } = place.getBoundingClientRect();
  const isCut = document.querySelector(`${wanPendingScroll.to} .run`)?.getBoundingClientRect().bottom > innerHeight;
  wanPendingScroll.until = 0;
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
  if (top < 0 || top > innerHeight * 0.6 || isCut) place.scrollIntoView({ behavior, block: "start" });
}

// A failure is shown below the picture, which may fill a phone's screen.
function wanShowFailure(changes) {
  const failure = document.querySelector("#status .run-failed");
  if (!failure || !changes.some(({ addedNodes }) => [...addedNodes].some((node) => node.contains(failure)))) return;
  failure.scrollIntoView({ behavior: "instant", block: "nearest" });
}

function wanFocusFirstError() {
  const block = document.querySelector("#inputs div.validation-error")?.closest(".block");
  if (!block) return;
  setTimeout(() => block.querySelector("textarea, input:not([type=file]), button:not(:has(button), .validation-error *)")?.focus());
}

// Gradio removes a field's error as soon as any call is answered. A copy of it stays until the field changes, or its
// cross or Generate is pressed.
const WAN_FIELD_ERROR = "div.validation-error:not(.stays, .stays *)";
const wanFieldErrors = new Map();

function wanFieldValue(block) {
  const field = block.querySelector("textarea, input:not([type=file])");
  return field ? field.value : `${block.querySelector("[data-state]")?.dataset.state} ${block.querySelector("img")?.src}`;
}

function wanRemoveFieldErrors(blocks) {
  for (const block of blocks) {
    wanFieldErrors.get(block)?.said.remove();
    wanFieldErrors.delete(block);
  }
}

function wanKeepFieldErrors(changes) {
  if (!wanFieldErrors.size && !document.querySelector(WAN_FIELD_ERROR)) return;
  for (const { target, addedNodes, removedNodes } of changes) {
    const block = target.closest?.("#inputs .block");
    if (!block) continue;
    for (const node of addedNodes) {
      if (!node.matches?.(WAN_FIELD_ERROR)) continue;
      wanRemoveFieldErrors([block]);
      const whole = node.closest("[data-testid=status-tracker]") ?? node, said = whole.cloneNode(true);
      said.classList.add("stays");
      wanFieldErrors.set(block, { said, place: whole.parentElement, value: wanFieldValue(block) });
    }
    const removed = [...removedNodes].some((node) => node.matches?.(WAN_FIELD_ERROR));
    const kept = wanFieldErrors.get(block);
    if (removed && kept) kept.place.append(kept.said);
  }
  wanRemoveFieldErrors([...wanFieldErrors].filter(([block, { value }]) => wanFieldValue(block) !== value).map(([block]) => block));
}

document.addEventListener("input", () => wanKeepFieldErrors([]));
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
  if (target.closest?.(".label-wrap")) setTimeout(wanUpdateExpanded, 50);
  if (target.closest?.("#generate, #anyway")) wanRemoveFieldErrors([...wanFieldErrors.keys()]);
  else if (target.closest?.("div.validation-error button")) wanRemoveFieldErrors([target.closest(".block")]);
  for (const [pressed, to] of Object.entries(wanScrollTargets)) {
    const button = target.closest?.(pressed);
    if (!button) continue;
    wanPendingScroll = { to, until: Date.now() + 30000 };
    // A result that is shown already causes no change to wait for.
    if (to === "#result" && button.getAttribute("aria-pressed") === "true") wanScrollToTarget();
  }
}, true);

new MutationObserver((changes) => {
  if (!wanLiveRegion.isConnected) document.body.append(wanLiveRegion);
  if (changes.every(({ target }) => wanLiveRegion.contains(target) || target.closest?.(".run-time"))) return;
  wanKeepFieldErrors(changes);
  wanLabelControlsSoon();
  wanScrollWhenChanged(changes);
  wanShowFailure(changes);
  wanKeepFocus();
  clearTimeout(wanAnnounceTimer);
  wanAnnounceTimer = setTimeout(wanAnnounce, 300);
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["disabled", "data-state"] });
