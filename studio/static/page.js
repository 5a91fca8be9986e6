// What the browser does without asking the server: the count of characters, the before/after cut, a key to send.

function wanCount(id, text) {
  const count = document.querySelector(`#${id} .count`);
  if (!count) return;
  const tidy = (text ?? "").replace(/\r\n?/g, "\n").normalize("NFC").trim();
  const length = window.Intl?.Segmenter
    ? Array.from(new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(tidy)).length
    : Array.from(tidy).length;
  const limit = Number(count.dataset.limit);
  count.textContent = `${length.toLocaleString("en")} / ${limit.toLocaleString("en")}`;
  count.classList.toggle("over", length > limit);
}
window.wanCount = wanCount;

document.addEventListener("input", (event) => {
  if (event.target.matches?.(".compare input")) {
    event.target.closest(".compare").style.setProperty("--cut", `${event.target.value}%`);
  }
});

// Ctrl+Enter or ⌘+Enter sends; never while an input method is still composing a character.
document.addEventListener("keydown", (event) => {
  const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing;
  if (sends && event.target.closest?.("#inputs")) {
    event.preventDefault();
    document.querySelector("#generate:not([disabled])")?.click();
  }
});
