// Gradio counts the seconds of its loading sign in every frame, and goes on once the sign is gone, for as long as the page
// is open. What does so since before the page was there is therefore given no more frames.

{
  // The callback of such a count, in whichever way its code was made smaller.
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
