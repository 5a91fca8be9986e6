// The dialog "Take away": results as one file, which the server makes while it reports its progress, and links to them.

function wanStagePart(id) {
  let part = document.getElementById(id);
  if (!part) {
    part = document.importNode(document.getElementById("wan-stage").content.getElementById(id), true);
    document.body.append(part);
  }
  return part;
}

class WanTakeAway {
  #dialog = wanStagePart("take");
  #form = this.#dialog.querySelector("form");
  #list = this.#dialog.querySelector(".take-list");
  #work = null;
  #linked = null;

  constructor() {
    this.#dialog.addEventListener("click", ({ target }) => this.#do(target.closest?.("[data-do]")));
    this.#form.addEventListener("change", () => this.#show());
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#dialog.addEventListener("close", () => this.#work?.abort());
    document.addEventListener("wan-starred", () => { if (this.#dialog.open) this.#fill(); });
  }

  open(which) {
    const starred = wanStarred().length, shown = wanShownKey();
    this.#form.elements.which.value = (which === "starred" && starred) || !shown ? "starred" : "shown";
    this.#form.querySelector("[name=which][value=shown]").disabled = !shown;
    this.#say("");
    this.#code(null);
    this.#dialog.showModal();
    this.#show();
    this.#fill();
  }

  get #keys() {
    return this.#form.elements.which.value === "starred" ? wanStarred() : [wanShownKey()].filter(Boolean);
  }

  #say(words, place = ".take-said") { this.#dialog.querySelector(place).textContent = words; }

  #show() {
    const kind = this.#form.elements.kind.value;
    for (const option of this.#form.querySelectorAll("[data-for]")) option.hidden = !option.dataset.for.split(" ").includes(kind);
    this.#list.hidden = this.#form.elements.which.value !== "starred";
    this.#dialog.querySelector(".take-none").hidden = this.#list.hidden || wanStarred().length > 0;
    this.#dialog.querySelector("[data-do=save]").disabled = !this.#keys.length || Boolean(this.#work);
    this.#dialog.querySelector("[data-do=link]").disabled = !wanShownKey();
  }

  async #fill() {
    const starred = wanStarred(), { up, down, off, gone } = this.#dialog.dataset;
    await wanLoadCards(starred).catch(() => { /* results without a card are listed without a picture */ });
    const cards = starred.map((key) => wanCards.get(key) ?? { key, prompt: gone });
    const had = document.activeElement?.dataset?.move ? { ...document.activeElement.dataset } : null;
    this.#list.replaceChildren(...cards.map((card, index) => {
      const button = (move, sign, label, disabled) => Object.assign(document.createElement("button"), {
        type: "button", className: "pill", textContent: sign, ariaLabel: `${label}: ${card.prompt.slice(0, 60)}`, disabled,
      });
      const row = document.createElement("li"), words = document.createElement("span");
      words.textContent = card.prompt;
      const buttons = [button("up", "↑", up, index === 0), button("down", "↓", down, index === cards.length - 1), button("off", "✕", off, false)];
      for (const [at, move] of ["up", "down", "off"].entries()) Object.assign(buttons[at].dataset, { do: "move", move, key: card.key });
      if (card.after) row.append(Object.assign(document.createElement("img"), { src: card.after, alt: "", loading: "lazy" }));
      row.append(words, ...buttons);
      return row;
    }));
    if (had) {
      const like = this.#list.querySelector(`[data-key="${CSS.escape(had.key)}"][data-move=${had.move}]:not([disabled])`);
      (like ?? this.#list.querySelector("button:not([disabled])") ?? this.#dialog.querySelector("[data-do=close]")).focus();
    }
    this.#show();
  }

  #do(button) {
    const what = button?.dataset.do;
    if (what === "close") this.#dialog.close();
    else if (what === "save") this.#save();
    else if (what === "stop") this.#work?.abort();
    else if (what === "move") this.#move(button.dataset);
    else if (what === "copy") wanCopy(button, this.#dialog.querySelector(".take-code a").href, this.#dialog.dataset.copied);
    else if (what) this.#audience(what);
  }

  #move({ key, move }) {
    const keys = wanStarred(), from = keys.indexOf(key), to = from + (move === "up" ? -1 : 1);
    if (move === "off") wanSetStarred(keys.filter((one) => one !== key));
    else if (from >= 0 && to >= 0 && to < keys.length) {
      [keys[from], keys[to]] = [keys[to], keys[from]];
      wanSetStarred(keys);
    }
  }

  // The answer: lines of JSON with the progress, one with the file's name or the problem, then the file.
  async #save() {
    const { kind, recipe, paper, place } = this.#form.elements;
    const said = { keys: this.#keys, kind: kind.value, recipe: recipe.value === "1", paper: paper.value, place: place.value };
    const bar = this.#dialog.querySelector("progress"), stop = this.#dialog.querySelector("[data-do=stop]");
    this.#work = new AbortController();
    this.#say("");
    this.#show();
    bar.value = 0;
    const late = setTimeout(() => { bar.hidden = stop.hidden = false; }, 1000);
    try {
      const answer = await fetch(wanLocalisedPath("stage/export"), {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(said), signal: this.#work.signal,
      });
      if (!answer.ok) throw new Error(answer.status === 503 ? await answer.text() : "");
      const file = await wanReadExport(answer.body.getReader(), (share) => { bar.value = share; });
      if (file.problem) throw new Error(file.problem);
      this.#download(file);
      this.#say(`✓ ${file.name}`);
    } catch (problem) {
      if (problem.name !== "AbortError") this.#say((problem.name === "Error" && problem.message) || this.#dialog.dataset.broken);
    } finally {
      clearTimeout(late);
      if (document.activeElement === stop) this.#dialog.querySelector("[data-do=close]").focus();
      bar.hidden = stop.hidden = true;
      this.#work = null;
      this.#show();
    }
  }

  #download({ name, type, parts }) {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob(parts, { type })), download: name });
    this.#dialog.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  #code(found) {
    const place = this.#dialog.querySelector(".take-code"), link = place.querySelector("a");
    place.hidden = !found;
    this.#dialog.querySelector("[data-do=revoke]").hidden = !this.#linked || this.#linked !== wanShownKey();
    if (!found) return;
    place.querySelector("img").src = found.code;
    link.href = link.textContent = found.address;
  }

  async #audience(what) {
    const key = wanShownKey(), address = location.href.split(/[?#]/)[0], heard = this.#dialog.querySelector(".take-heard");
    heard.textContent = "";
    try {
      if (what === "revoke") {
        await wanAskStage("stage/link", { key: this.#linked, revoke: true });
        this.#linked = null;
        this.#code(null);
        heard.textContent = heard.dataset.revoked;
        this.#dialog.querySelector("[data-do=link]").focus();
        return;
      }
      const found = await (what === "link" ? wanAskStage("stage/link", { key, address }) : wanAskStage("stage/address", { address }));
      if (found.problem) heard.textContent = found.problem;
      else if (what === "link") this.#linked = key;
      this.#code(found.problem ? null : found);
    } catch { heard.textContent = this.#dialog.dataset.broken; }
  }
}

async function wanReadExport(reader, onShare) {
  const decoder = new TextDecoder();
  let head = new Uint8Array();
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a stream comes piece by piece
    const { done, value } = await reader.read();
    if (done) throw new Error("");
    const both = new Uint8Array(head.length + value.length);
    both.set(head);
    both.set(value, head.length);
    head = both;
    for (let end = head.indexOf(10); end >= 0; end = head.indexOf(10)) {
      const said = JSON.parse(decoder.decode(head.subarray(0, end)));
      head = head.subarray(end + 1);
      if (said.problem) return said;
      if (said.share !== undefined) onShare(said.share);
      // oxlint-disable-next-line no-await-in-loop -- the last step
      else return { ...said, parts: await wanReadFile(reader, head, said.size) };
    }
  }
}

async function wanReadFile(reader, first, size) {
  const parts = [first];
  let got = first.length;
  // oxlint-disable-next-line no-await-in-loop -- a stream comes piece by piece
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value);
    got += next.value.length;
  }
  if (got !== size) throw new Error("");
  return parts;
}

let wanTakeAway;
document.addEventListener("click", ({ target }) => {
  const { stage } = target.closest?.("[data-stage]")?.dataset ?? {};
  if (["take", "starred"].includes(stage)) (wanTakeAway ??= new WanTakeAway()).open(stage);
});
