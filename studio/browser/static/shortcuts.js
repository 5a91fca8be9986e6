// Keyboard shortcuts: single keys move the focus, outside fields and unless they are switched off.
let wanShortcutsOn = wanLocal.get("wan-shortcuts") !== "off";
window.wanShortcuts = (on) => {
  wanShortcutsOn = on;
  wanLocal.set("wan-shortcuts", on ? "on" : "off");
};

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (!wanShortcutsOn || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
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
