for (const pair of document.querySelectorAll(".pair")) {
  const range = pair.querySelector("input");
  const show = () => pair.style.setProperty("--cut", `${range.value}%`);
  const follow = (event) => {
    const { left, width } = pair.getBoundingClientRect();
    range.value = ((event.clientX - left) / width) * 100;
    show();
  };
  range.addEventListener("input", show);
  pair.addEventListener("pointerdown", (event) => {
    if (event.button || !event.isPrimary) return;
    event.preventDefault();
    pair.setPointerCapture(event.pointerId);
    range.focus({ preventScroll: true, focusVisible: false });
    follow(event);
  });
  pair.addEventListener("pointermove", (event) => {
    if (pair.hasPointerCapture(event.pointerId)) follow(event);
  });
  show();
}
document.documentElement.classList.add("live");
