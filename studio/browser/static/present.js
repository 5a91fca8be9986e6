// Presenting: results on black, as large as the screen allows, each action on one key. A link (?present) opens it.

class WanPresent {
  #box = null;
  #source = "all"; #cards = []; #at = 0;
  // What the card shows: the picture before, the automatic wipe, the grid, black, the caption, the prepared result.
  #before = false; #wipe = false; #grid = false; #blank = false; #caption = true; #prepared = false;
  // The programme's number → the key of its real run; and the number that is being played.
  #live = {}; #playing = null;
  #zoom = 1; #x = 0.5; #y = 0.5;
  #had = null; #timer = null; #idle = null; #pointer = null; #opening = 0;

  get isOpen() { return Boolean(this.#box?.isConnected); }

  // Shows the cards that are loaded at once, and the others when they arrive.
  async open(source, number = null) {
    if (this.isOpen) return;
    const kept = this.#kept(), link = source === "link";
    this.#source = link ? kept.source ?? null : source ?? null;
    this.#live = kept.live ?? {};
    this.#playing = link ? kept.playing ?? null : null;
    this.#before = this.#wipe = this.#grid = this.#blank = false;
    this.#caption = link ? kept.caption ?? true : true;
    this.#prepared = link ? kept.prepared ?? false : number !== null;
    this.#had = document.activeElement;
    this.#build();
    if (!link) this.#full(true);
    this.#address(true);
    const opening = ++this.#opening;
    const wanted = link ? kept.key : number === null ? wanShownKey() : `programme:${number}`;
    const shown = this.#choose().filter((key) => wanCards.has(key)).map((key) => wanCards.get(key));
    if (shown.length && this.#source !== "programme") this.#take(shown, wanted);
    const cards = await this.#load();
    if (!this.isOpen || opening !== this.#opening) return;
    this.#take(cards, this.#cards[this.#at]?.key ?? wanted);
  }

  #kept() { try { return JSON.parse(wanTab.get("wan-present") ?? "{}") ?? {}; } catch { return {}; } }

  #keep() {
    wanTab.set("wan-present", JSON.stringify({
      source: this.#source, key: this.#card?.key, live: this.#live, playing: this.#playing, caption: this.#caption, prepared: this.#prepared,
    }));
  }

  // The keys to show: the starred results, else the programme, else all results of this browser.
  #choose() {
    const starred = wanStarred();
    this.#source ??= starred.length ? "starred" : document.querySelector("#programme [data-number]") ? "programme" : null;
    if (this.#source === "starred" && starred.length) return starred;
    return this.#source === "programme" ? [] : wanFinishedKeys();
  }

  async #load() {
    try {
      const keys = this.#choose();
      if (this.#source === "programme" || this.#source === null) {
        const programme = await (await fetch(wanLocalisedPath("stage/programme"))).json();
        if (programme.length) {
          this.#source = "programme";
          await wanLoadCards(Object.values(this.#live));
          return programme;
        }
      }
      return await wanLoadCards(keys);
    } catch { return this.#cards; }
  }

  #build() {
    this.#box = document.importNode(document.getElementById("wan-stage").content.getElementById("present"), true);
    const stage = this.#part("stage");
    this.#box.addEventListener("click", (event) => this.#click(event));
    stage.addEventListener("pointerdown", (event) => { this.#pointer = event; });
    stage.addEventListener("pointermove", (event) => this.#drag(event));
    stage.addEventListener("pointerup", (event) => this.#press(event));
    stage.addEventListener("pointercancel", () => { this.#pointer = null; });
    stage.addEventListener("wheel", (event) => {
      if (!this.#grid) return;
      event.preventDefault();
      this.#zoomBy(Math.exp(-Math.min(Math.max(event.deltaY, -30), 30) / 100));
    }, { passive: false });
    this.#box.addEventListener("pointermove", () => this.#wake());
    this.#box.addEventListener("focusin", () => this.#wake());
    document.body.append(this.#box);
    for (const other of document.body.children) if (other !== this.#box && other.id !== "voice") other.inert = true;
    stage.focus();
    this.#timer = setInterval(() => this.#watch(), 300);
    this.#show();
    this.#wake();
  }

  close() {
    if (!this.isOpen) return;
    this.#keep();
    clearInterval(this.#timer);
    for (const other of document.body.children) other.inert = false;
    this.#full(false);
    wanLastFocus = null; // the focused control is removed on purpose
    this.#box.remove();
    document.documentElement.classList.remove("presenting");
    this.#address(false);
    if (this.#had?.isConnected) this.#had.focus();
  }

  #part(name) { return this.#box.querySelector(`.present-${name}`); }
  #button(name) { return this.#box.querySelector(`[data-do=${name}]`); }

  #address(open) {
    const address = new URL(location.href);
    if (open) address.searchParams.set("present", "");
    else address.searchParams.delete("present");
    try {
      window.history.replaceState(window.history.state, "", address.href.replace("present=", "present"));
    } catch { /* a frame without an origin of its own */ }
  }

  #full(on) {
    if (on) this.#box.requestFullscreen?.().catch(() => { /* as large as the window */ });
    else if (document.fullscreenElement) document.exitFullscreen().catch(() => { /* it has ended */ });
  }

  #take(cards, wanted) {
    const live = Object.entries(this.#live).find(([, key]) => key === wanted)?.[0];
    const at = cards.findIndex(({ key }) => key === wanted || key === `programme:${live}`);
    this.#cards = cards;
    this.#at = Math.max(at, 0);
    this.#show();
  }

  get #card() { return this.#cards[this.#at]; }

  // The result to show of a card. A card of the programme has its real run's, or the prepared one if that is chosen.
  #result(card, prepared = this.#prepared) {
    if (card?.number === undefined) return card;
    const live = wanCards.get(this.#live[card.number]);
    if (prepared && card.after) return card;
    return live ?? { ...card, after: null, marks: [], facts: "" };
  }

  #go(step) {
    if (this.#cards.length < 2) return;
    this.#at = (this.#at + step + this.#cards.length) % this.#cards.length;
    this.#before = this.#wipe = this.#prepared = false;
    this.#show();
    this.#say();
  }

  #say() { this.#box.querySelector("[role=status]").textContent = `${this.#at + 1} / ${this.#cards.length}. ${this.#name} ${this.#card?.prompt ?? ""}`; }

  get #name() {
    const result = this.#result(this.#card), { first, then } = this.#box.dataset;
    return !result || this.#wipe ? "" : this.#before || !result.after ? first : then;
  }

  #show() {
    const card = this.#card, result = this.#result(card), box = this.#box, { empty, play, prepared } = box.dataset;
    const hidden = (name, is) => { this.#part(name).hidden = is; };
    for (const [name, on] of Object.entries({
      before: this.#before || Boolean(result && !result.after), wipe: this.#wipe, still: matchMedia("(prefers-reduced-motion: reduce)").matches, blank: this.#blank, grid: this.#grid, uncaptioned: !this.#caption,
    })) box.toggleAttribute(`data-${name}`, on);
    const pressed = { flip: this.#before, wipe: this.#wipe, grid: this.#grid, caption: this.#caption, prepared: this.#prepared };
    for (const [name, on] of Object.entries(pressed)) this.#button(name).setAttribute("aria-pressed", String(on));
    this.#button("play").hidden = card?.number === undefined;
    this.#button("prepared").hidden = !(card?.number !== undefined && card.after);
    this.#button("flip").disabled = this.#button("wipe").disabled = !(result?.before && result.after);
    this.#part("count").textContent = card ? `${this.#at + 1} / ${this.#cards.length}` : "";
    this.#part("name").textContent = this.#grid ? "" : this.#name;
    this.#part("marks").textContent = this.#grid || this.#before ? "" : result?.marks.join(" · ") ?? "";
    hidden("frame", !result || this.#grid);
    hidden("grid", !this.#grid);
    const hint = card?.number !== undefined && !result.after && this.#playing === null;
    this.#part("words").textContent = !card ? empty : hint && !this.#grid ? [play, card.after ? prepared : ""].filter(Boolean).join(" · ") : "";
    const caption = this.#part("caption");
    caption.hidden = !this.#caption || !card || this.#grid;
    caption.textContent = card ? `“${card.prompt}”` : "";
    if (result?.facts) caption.append(Object.assign(document.createElement("small"), { textContent: result.facts }));
    if (result) this.#paint(this.#part("frame"), result);
    if (this.#grid) this.#showGrid();
    for (const step of [1, -1]) {
      const next = this.#result(this.#cards[this.#at + step]);
      for (const url of [next?.before, next?.after]) if (url) new Image().src = url;
    }
    this.#keep();
  }

  #paint(frame, { before, after, width, height, prompt }) {
    const { first, then } = this.#box.dataset;
    frame.style.setProperty("--ratio", `${width}/${height}`);
    for (const [name, url, words] of [["before", before, first], ["after", after, then]]) {
      const image = frame.querySelector(`.present-${name}`);
      image.hidden = !url;
      if (url && image.getAttribute("src") !== url) image.src = url;
      image.alt = url ? `${words}: ${prompt.slice(0, 200)}` : "";
    }
  }

  // Up to nine results side by side around the shown one, zoomed and moved together.
  #showGrid() {
    const grid = this.#part("grid"), from = Math.floor(this.#at / 9) * 9, cards = this.#cards.slice(from, from + 9);
    const keys = cards.map(({ key }) => key).join(" ");
    if (grid.dataset.keys !== keys) {
      grid.dataset.keys = keys;
      grid.replaceChildren(...cards.map((card, index) => {
        const cell = document.createElement("button");
        cell.type = "button";
        Object.assign(cell.dataset, { do: "pick", at: from + index });
        const frame = this.#part("frame").cloneNode(true);
        frame.hidden = false;
        const mark = Object.assign(document.createElement("span"), { className: "present-mark" });
        cell.append(frame, mark);
        return cell;
      }));
    }
    [...grid.children].forEach((cell, index) => {
      const result = this.#result(cards[index], this.#prepared || !wanCards.has(this.#live[cards[index].number]));
      this.#paint(cell.firstElementChild, result);
      cell.toggleAttribute("data-before", !result.after);
      const marks = result.marks.join(" · ");
      cell.lastElementChild.textContent = marks;
      cell.ariaLabel = [`${from + index + 1}: ${cards[index].prompt.slice(0, 80)}`, marks].filter(Boolean).join(" · ");
    });
    grid.style.setProperty("--columns", this.#columns(cards));
    for (const [name, value] of [["--zoom", this.#zoom], ["--x", this.#x], ["--y", this.#y]]) grid.style.setProperty(name, value);
  }

  // As many columns as make the pictures largest.
  #columns(cards) {
    const { clientWidth, clientHeight } = this.#part("stage"), ratio = cards[0].width / cards[0].height;
    const size = (columns) => Math.min(clientWidth / columns, clientHeight / Math.ceil(cards.length / columns) * ratio);
    return cards.map((_, index) => index + 1).reduce((best, columns) => (size(columns) > size(best) ? columns : best), 1);
  }

  #zoomBy(factor) {
    this.#zoom = Math.min(Math.max(this.#zoom * factor, 1), 16);
    this.#moveBy(0, 0);
  }

  // In shares of a picture.
  #moveBy(right, down) {
    const half = 0.5 / this.#zoom, within = (place) => Math.min(Math.max(place, half), 1 - half);
    this.#x = within(this.#x - right / this.#zoom);
    this.#y = within(this.#y - down / this.#zoom);
    this.#showGrid();
  }

  #drag(event) {
    if (!this.#grid || !this.#pointer || !event.buttons || this.#zoom === 1) return;
    const box = this.#part("grid").firstElementChild.getBoundingClientRect(), last = this.#pointer.last ?? this.#pointer;
    this.#pointer.last = event;
    this.#moveBy((event.clientX - last.clientX) / box.width, (event.clientY - last.clientY) / box.height);
  }

  // By finger or mouse: a swipe goes to the next card, a short press flips.
  #press(event) {
    const from = this.#pointer;
    this.#pointer = null;
    if (!from || this.#grid) return;
    const across = event.clientX - from.clientX, along = event.clientY - from.clientY;
    if (this.#blank) this.#do("blank");
    else if (Math.abs(across) > 50 && Math.abs(across) > Math.abs(along)) this.#go(across < 0 ? 1 : -1);
    else if (Math.abs(across) < 8 && Math.abs(along) < 8) this.#do("flip");
  }

  #click(event) {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    if (button.dataset.do === "pick") {
      if (this.#zoom > 1 && event.detail) return;
      this.#at = Number(button.dataset.at);
      this.#do("grid");
    } else this.#do(button.dataset.do);
    // The focus returns to the stage: Space must not press again the button that the mouse pressed.
    if (this.isOpen && event.detail) this.#part("stage").focus();
  }

  #do(what) {
    const result = this.#result(this.#card), both = result?.before && result.after;
    if (what === "next" || what === "previous") this.#go(what === "next" ? 1 : -1);
    else if (what === "flip") {
      this.#before = !this.#before && Boolean(both || this.#grid);
      this.#wipe = false;
    } else if (what === "wipe") {
      this.#wipe = !this.#wipe && Boolean(both);
      this.#before = false;
    } else if (what === "grid") {
      this.#grid = !this.#grid && this.#cards.length > 0;
      this.#before = this.#wipe = false;
      this.#zoom = 1;
      this.#x = this.#y = 0.5;
    } else if (what === "caption") this.#caption = !this.#caption;
    else if (what === "blank") this.#blank = !this.#blank;
    else if (what === "prepared") this.#prepared = !this.#prepared && Boolean(this.#card?.number !== undefined && this.#card.after);
    else if (what === "play") this.#play();
    else if (what === "full") this.#full(!document.fullscreenElement);
    else if (what === "keys") this.#fold("keys");
    else if (what === "code") this.#code();
    else if (what === "close") return void this.close();
    this.#show();
    if (["flip", "prepared"].includes(what)) this.#say();
  }

  #fold(name, open = this.#part(name).hidden) {
    this.#part(name).hidden = !open;
    this.#button(name).setAttribute("aria-pressed", String(open));
    if (open && name === "keys") this.#part(name).focus();
    else this.#part("stage").focus();
  }

  async #code() {
    const part = this.#part("code");
    if (!part.hidden) return this.#fold("code", false);
    const found = await wanAskStage("stage/address", { address: location.href.split(/[?#]/)[0] }).catch(() => ({ problem: this.#box.dataset.away }));
    if (!this.isOpen) return;
    part.querySelector("img").hidden = Boolean(found.problem);
    if (!found.problem) part.querySelector("img").src = found.code;
    part.querySelector("p").textContent = found.problem ?? found.address;
    this.#fold("code", true);
  }

  // The real run of the programme's edit, by the page's own button.
  #play() {
    const number = this.#card?.number, button = document.querySelector(`#programme [data-event=retry][data-number="${number}"]`);
    const status = document.querySelector("#status .run");
    if (number === undefined || !button || (this.#playing !== null && status?.dataset.state === "waiting")) return;
    this.#playing = number;
    // The key and the words of the previous run must not count as news of this one.
    this.#playedOver = wanShownKey();
    this.#saidBefore = status?.textContent ?? "";
    this.#waited = false;
    this.#prepared = false;
    delete this.#live[number];
    button.click();
  }

  #playedOver = null; #saidBefore = ""; #waited = false;

  // Shows the bar of a waiting run at the foot, and puts the programme's result into its place.
  #watch() {
    const run = document.querySelector("#status .run"), foot = this.#part("run"), state = run?.dataset.state;
    const words = foot.querySelector("p");
    if (state === "waiting") {
      this.#waited = true;
      const from = run.querySelector(".bar"), bar = foot.querySelector(".bar");
      bar.style.cssText = from.style.cssText;
      bar.toggleAttribute("data-known", from.hasAttribute("data-known"));
      bar.hidden = foot.hidden = false;
      words.textContent = [run.querySelector(".said")?.textContent, run.querySelector(".left")?.textContent || run.querySelector(".clock")?.textContent].filter(Boolean).join(" · ");
      return;
    }
    if (!this.#waited && this.#playing === null) return;
    const key = wanShownKey(), isNews = this.#waited || run?.textContent !== this.#saidBefore;
    if (this.#playing !== null && key && key !== this.#playedOver && state === "finished") this.#landed(key);
    else if (this.#playing !== null && isNews && ["failed", "calm"].includes(state)) this.#playing = null;
    else if (this.#playing !== null) return;
    const failed = state === "failed" && isNews;
    foot.querySelector(".bar").hidden = true;
    words.textContent = failed ? [run.querySelector(".run-what")?.textContent, this.#card?.number !== undefined && this.#card.after ? this.#box.dataset.prepared : ""].join(" ") : "";
    foot.hidden = !words.textContent;
    this.#waited = false;
    this.#show();
  }

  async #landed(key) {
    const number = this.#playing;
    this.#playing = null;
    await wanLoadCards([key]).catch(() => []);
    if (!wanCards.has(key)) return;
    this.#live[number] = key;
    if (this.isOpen) this.#show();
  }

  // The bar fades after three idle seconds, unless the focus or the pointer is on it.
  #wake() {
    this.#box.removeAttribute("data-idle");
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#box?.setAttribute("data-idle", ""), 3000);
  }

  // Clickers send PageUp, PageDown and a full stop. Letters can be switched off, as on the page.
  key(event) {
    const { key, target } = event, letter = key.toLowerCase(), onButton = target.closest?.("button");
    const always = {
      ArrowRight: "next", PageDown: "next", ArrowLeft: "previous", PageUp: "previous", Escape: "escape",
      ...(onButton ? {} : { " ": "flip", Enter: "play" }),
    }[key];
    const letters = { w: "wipe", b: "blank", ".": "blank", g: "grid", c: "caption", s: "prepared", q: "code", f: "full", "?": "keys", p: "close", "+": "in", "=": "in", "-": "out", 0: "fit" };
    const what = always ?? (wanShortcutsOn ? letters[letter] : undefined);
    const arrow = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[key];
    if (key === "Tab") return void this.#tab(event);
    if (this.#grid && this.#zoom > 1 && arrow) this.#moveBy(...arrow);
    else if (key === "Home" || key === "End") this.#go(key === "Home" ? -this.#at : this.#cards.length - 1 - this.#at);
    else if (["in", "out", "fit"].includes(what)) {
      if (this.#grid) this.#zoomBy({ in: 1.5, out: 1 / 1.5, fit: 1 / this.#zoom }[what]);
    } else if (what === "escape") {
      const open = ["keys", "code"].find((name) => !this.#part(name).hidden);
      if (open) this.#fold(open, false);
      else if (this.#blank || this.#grid) this.#do(this.#blank ? "blank" : "grid");
      else this.close();
    } else if (what) this.#do(what);
    else return;
    event.preventDefault();
  }

  // Tab cycles through the stage's buttons.
  #tab(event) {
    const all = [...this.#box.querySelectorAll("button:not([disabled], [hidden])")].filter((button) => button.checkVisibility());
    const at = all.indexOf(document.activeElement), to = at + (event.shiftKey ? -1 : 1);
    event.preventDefault();
    all.at(at < 0 ? (event.shiftKey ? -1 : 0) : to % all.length)?.focus();
    this.#wake();
  }
}

const wanPresent = new WanPresent();

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (wanPresent.isOpen) {
    event.stopPropagation();
    wanPresent.key(event);
  } else if (wanShortcutsOn && key.toLowerCase() === "p" && !target.closest?.("input:not([type=checkbox], [type=range]), textarea, select, [contenteditable], dialog")) {
    event.preventDefault();
    wanPresent.open(null);
  }
}, true);

document.addEventListener("click", ({ target }) => {
  const { stage, number } = target.closest?.("[data-stage]")?.dataset ?? {};
  if (stage === "present") wanPresent.open(null);
  else if (stage === "programme" || stage === "prepared") wanPresent.open("programme", number ?? null);
});

if (new URLSearchParams(location.search).has("present")) wanPresent.open("link");
