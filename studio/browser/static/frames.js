// Stop the requestAnimationFrame loops of Gradio's loading counter, which Gradio never ends. Those that began before
// the page was there, and still count two seconds after, get no more frames.

{
  // A loop is recognised by this call in its callback, which minifying leaves as it is.
  const LAST_MS = 2000, COUNTS = /\bperformance\.now\(\)/, request = window.requestAnimationFrame.bind(window), begun = new Set();
  let running = null, opening = true;
  window.requestAnimationFrame = (callback) => {
    const loop = running ?? { over: false };
    if (loop.over) return 0;
    if (opening) begun.add(loop);
    loop.callback = callback;
    return request((time) => {
      running = loop;
      try {
        callback(time);
      } finally {
        running = null;
      }
    });
  };
  window.wanPageIsThere = () => {
    if (!opening) return;
    opening = false;
    setTimeout(() => {
      for (const loop of begun) loop.over = COUNTS.test(loop.callback);
      begun.clear();
    }, LAST_MS);
  };
}
