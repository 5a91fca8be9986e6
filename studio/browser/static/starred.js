// Stars on results, and the cards of results that presenting and taking away need.

// The server answers in the page's language.
const wanLocalisedPath = (path) => `${path}?lang=${document.documentElement.lang || "en"}`;

async function wanAskStage(path, said) {
  const answer = await fetch(wanLocalisedPath(path), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(said) });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

// The data that a result is shown from, by the run's key, fetched once.
const wanCards = new Map();
async function wanLoadCards(keys) {
  const missing = keys.filter((key) => !wanCards.has(key)).slice(0, 40);
  if (missing.length) for (const card of await wanAskStage("stage/cards", { keys: missing })) wanCards.set(card.key, card);
  return keys.map((key) => wanCards.get(key)).filter(Boolean);
}

// The keys of this browser's results, newest first.
function wanFinishedKeys() {
  const runs = wanLocal.starting("wan-run-").map((run) => { try { return JSON.parse(run); } catch { return {}; } });
  return runs.filter(({ result }) => result).toSorted((one, other) => other.at - one.at).map(({ key }) => key).slice(0, 40);
}

// The key of the shown result, or of its kept composite.
// oxlint-disable-next-line no-unused-vars -- take_away.js and present.js call it
function wanShownKey() {
  const run = document.querySelector("#result [data-shown]")?.dataset.shown ?? null;
  const seen = document.querySelector("#result wan-viewer")?.seen ?? "";
  return run && seen.startsWith(`${run}/`) ? seen : run;
}

function wanShowStars() {
  const starred = wanStarred();
  for (const button of document.querySelectorAll("[data-star]")) {
    const pressed = String(starred.includes(button.dataset.star));
    if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
  }
  const count = starred.length ? String(starred.length) : "";
  for (const place of document.querySelectorAll(".star-count")) if (place.textContent !== count) place.textContent = count;
}

// Cards are loaded beforehand, so that a press on P is answered at once.
let wanPreloadTimer;
function wanPreloadCards() {
  clearTimeout(wanPreloadTimer);
  wanPreloadTimer = setTimeout(() => wanLoadCards([...wanStarred(), ...wanFinishedKeys()]).catch(() => { /* loaded again when they are needed */ }), 300);
}

document.addEventListener("click", ({ target }) => {
  const key = target.closest?.("[data-star]")?.dataset.star;
  if (!key) return;
  const keys = wanStarred();
  wanSetStarred(keys.includes(key) ? keys.filter((one) => one !== key) : [...keys, key]);
});
document.addEventListener("wan-starred", () => { wanShowStars(); wanPreloadCards(); });
window.addEventListener("storage", ({ key }) => { if (key === "wan-starred") document.dispatchEvent(new Event("wan-starred")); });
new MutationObserver((changes) => {
  if (changes.some(({ target }) => target.closest?.("#history, #filmstrip, #copies, #programme, #result"))) { wanShowStars(); wanPreloadCards(); }
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-star"] });
