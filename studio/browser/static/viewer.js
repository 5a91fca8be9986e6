// Comparing two pictures: <wan-viewer>, whose HTML comes from viewer.py. The state is kept here, and #show writes it to
// the HTML, also after Gradio has updated that.

customElements.define("wan-viewer", class Viewer extends HTMLElement {
  // The next result's viewer begins with the view chosen last.
  static #lastView = "slider";
  // The server's comparison of each result, by its key; null while it is being fetched.
  static #facts = new Map();
  #a; #b; #given; #pictures = {}; #said;
  #view = Viewer.#lastView; #cut = 50; #overlay = false; #held = false;
  // How many times larger than fitting, and the point of the frame at the middle, from 0 to 1.
  #zoom = 1; #x = 0.5; #y = 0.5;
  // A press: the pointers that are down, what a drag moves, where it began, and what a flip goes back to.
  #pointers = new Map(); #drag; #from; #moved; #rest;
  // Whether the pictures were chosen here, whether they are shown unaligned, and which map is drawn.
  #chosen = false; #unaligned = false; #drawn;
  #changed = new MutationObserver(() => this.#adopt());
  // Its first call brings the size without forcing a layout.
  #resized = new ResizeObserver(() => (this.#given ? this.#show() : this.#adopt()));

  connectedCallback() {
    if (!this.#given) {
      // An event may come before the first layout, which takes over the data.
      const on = (name, handler, options) => this.addEventListener(name, (event) => {
        if (!this.#given) this.#adopt();
        handler(event);
      }, options);
      on("click", (event) => {
        if (event.target.matches(".viewer-stage") && !event.detail) this.#flip();
        else this.#do(event.target.closest("button[data-do]")?.dataset.do);
      });
      on("change", (event) => this.#choose(event.target.dataset.side, event.target.value));
      on("input", (event) => this.#moveCut(event.target));
      on("keydown", (event) => this.#key(event));
      on("fullscreenchange", () => this.#show());
      // Nothing behind the overlay may have the focus.
      on("focusout", ({ relatedTarget }) => {
        if (this.#overlay && relatedTarget && !this.contains(relatedTarget)) this.#full();
      });
      const onStage = (name, handler) => on(name, (event) => {
        if (event.target.closest(".viewer-stage")) handler(event);
      }, { passive: false });
      onStage("dblclick", (event) => this.#toggleFit(event));
      onStage("wheel", (event) => this.#wheel(event));
      onStage("pointerdown", (event) => this.#down(event));
      onStage("pointermove", (event) => this.#move(event));
      for (const end of ["pointerup", "pointercancel"]) onStage(end, (event) => this.#up(event));
    }
    this.#resized.observe(this.#pane("b"));
  }

  disconnectedCallback() {
    this.#changed.disconnect();
    this.#resized.disconnect();
  }

  // Takes over the server's data. The visitor's choice of pictures stays while both exist.
  #adopt() {
    const before = this.#frame;
    const { a, b, pictures } = this.dataset;
    this.#pictures = Object.fromEntries(JSON.parse(pictures).map((picture) => [picture.key, picture]));
    this.#said = JSON.parse(this.dataset.said);
    const given = JSON.stringify([a, b]);
    if (given !== this.#given || !this.#pictures[this.#a] || !this.#pictures[this.#b]) {
      [this.#a, this.#b] = [a, b];
      this.#chosen = false;
      // It is known what changed in a kept composite, so it opens in the slider view.
      if (this.#pictures[b].kind === "kept" && this.#view === "changes") this.#view = Viewer.#lastView = "slider";
    }
    this.#given = given;
    this.#reframed(before);
  }

  #reframed(before) {
    const { width, height } = this.#frame;
    if (before && before.width * height !== before.height * width) this.#zoom = 1;
    this.#showBefore();
    this.#show();
    this.#compare();
  }

  // The key of the picture on the right.
  get seen() { return this.#b; }

  // The result that can be compared, and the server's comparison of it.
  get result() { return [this.#b, this.#a].map((key) => this.#pictures[key]).find(({ comparable }) => comparable); }
  get facts() { return Viewer.#facts.get(this.edited?.key); }

  // The result that a mask can be painted on: for a kept composite the one that it was made from.
  get edited() { return this.result ?? this.#pictures[[this.#b, this.#a].find((key) => key.includes("/"))?.split("/")[0]]; }

  async #compare() {
    const key = this.edited?.key;
    if (!key || Viewer.#facts.has(key)) return;
    Viewer.#facts.set(key, null);
    const { facts } = await window.wanAsk("compare", { key });
    if (facts) Viewer.#facts.set(key, facts);
    else Viewer.#facts.delete(key);
    if (!this.isConnected || this.edited?.key !== key) return;
    this.#showBefore();
    this.#show();
  }

  // Shows on the left the reference that the result was made from, unless another picture was chosen.
  #showBefore() {
    const before = this.facts?.before;
    const shown = !this.#chosen && this.#b === this.result?.key && this.#pictures[this.#a].kind === "reference";
    if (shown && this.#pictures[before]) this.#a = before;
  }

  #url(picture, frame) {
    const facts = Viewer.#facts.get(frame.key);
    if (facts?.aligned && !this.#unaligned && picture.key === facts.before) return facts.aligned;
    return picture.aligned[frame.key] ?? picture.url;
  }

  #showFacts(view) {
    const { facts } = this, shown = this.result && facts, line = this.querySelector(".viewer-facts");
    if (!line) return;
    const write = (name, words) => {
      const place = line.querySelector(name);
      if (place.textContent !== words) place.textContent = words;
    };
    write(".viewer-place", shown === null ? this.#said.waiting : shown?.place ?? "");
    write(".viewer-changed", shown && (shown.map || view === "changes") ? shown.changed.join(" ") : "");
    set(line.querySelector("[data-do=unaligned]"), "hidden", shown?.aligned ? null : "");
    set(line.querySelector("[data-keep]"), "hidden", facts ? null : "");
    const map = view === "changes" ? shown?.map : null;
    if (map && this.#drawn !== map) this.#draw(map);
    set(this, "data-mapped", map ? "" : null);
  }

  // Darkens what did not change, and draws an edge around what did.
  async #draw(url) {
    this.#drawn = url;
    const map = await window.wanMap(url), canvas = this.querySelector(".viewer-map");
    if (!map || this.#drawn !== url) return;
    const { width, height, changed } = map;
    const context = Object.assign(canvas, { width, height }).getContext("2d"), image = context.createImageData(width, height);
    for (let place = 0; place < changed.length; place += 1) {
      const x = place % width, y = (place - x) / width;
      const inside = changed[place] && x && y && x < width - 1 && y < height - 1
        && changed[place - 1] && changed[place + 1] && changed[place - width] && changed[place + width];
      image.data.set(inside ? [0, 0, 0, 0] : changed[place] ? [255, 61, 154, 255] : [10, 12, 18, 175], 4 * place);
    }
    context.putImageData(image, 0, 0);
    this.#changed.takeRecords();
  }

  get #single() { return Object.keys(this.#pictures).length < 2; }
  get #isFull() { return this.#overlay || document.fullscreenElement === this; }
  #pane(side) { return this.querySelector(`.viewer-${side}`); }

  // The picture whose frame is shown: the right one's, unless that is a reference and the left one is not.
  get #frame() {
    const a = this.#pictures[this.#a], b = this.#pictures[this.#b];
    return b?.kind === "reference" && a.kind !== "reference" ? a : b;
  }

  // Writes only what has changed, as a drag calls this at every move.
  #show() {
    const frame = this.#frame, view = this.#single ? "single" : this.#view, full = this.#isFull;
    const stage = this.querySelector(".viewer-stage"), pane = this.#pane("b"), image = pane.firstElementChild;
    set(this, "data-view", view);
    set(this, "data-full", full ? "" : null);
    set(this, "data-wide", frame.width > frame.height ? "" : null);
    set(this, "data-held", this.#held ? "" : null);
    set(this, "data-dragging", this.#pointers.size ? "" : null);
    if (this.#overlay && this.popover !== "manual") {
      this.popover = "manual";
      this.showPopover?.();
    } else if (!this.#overlay) set(this, "popover", null);
    const style = (name, value) => {
      if (stage.style.getPropertyValue(name) !== String(value)) stage.style.setProperty(name, value);
    };
    style("--ratio", `${frame.width}/${frame.height}`);
    style("--cut", `${this.#cut}%`);
    this.#zoom = Math.min(Math.max(this.#zoom, 1), this.#most);
    this.#x = middle(this.#x, pane.clientWidth / (image.clientWidth * this.#zoom));
    this.#y = middle(this.#y, pane.clientHeight / (image.clientHeight * this.#zoom));
    style("--zoom", this.#zoom);
    style("--x", this.#x);
    style("--y", this.#y);
    const box = this.#seen;
    style("--left", `${box.left}px`);
    style("--top", `${box.top}px`);
    style("--place", view === "slider" ? `${box.left + box.width * this.#cut / 100}px` : "50%");

    const zoomed = this.#zoom > 1, isButton = view === "flip";
    set(this, "data-zoomed", zoomed ? "" : null);
    set(stage, "tabindex", zoomed || isButton ? 0 : -1);
    set(stage, "role", isButton ? "button" : "group");
    set(stage, "aria-pressed", isButton ? this.#held : null);
    set(stage, "aria-label", this.#said[isButton ? "flip" : "stage"]);
    for (const side of ["a", "b"]) {
      const picture = this.#pictures[side === "a" ? this.#a : this.#b], select = this.querySelector(`[data-side=${side}]`);
      set(this.#pane(side), "data-label", picture.badge);
      const seen = view === "changes" && this.result ? this.result.url : this.#url(picture, frame);
      set(this.#pane(side).firstElementChild, "src", seen);
      set(this.#pane(side).firstElementChild, "alt", picture.label);
      if (select.value !== picture.key) select.value = picture.key;
    }
    const cut = this.querySelector("input"), percent = this.querySelector("[data-do=fit]");
    if (Number(cut.value) !== this.#cut) cut.value = this.#cut;
    if (image.clientWidth && percent.textContent !== this.#percent) percent.textContent = this.#percent;
    for (const button of this.querySelectorAll("button[aria-pressed]")) {
      set(button, "aria-pressed", { full, unaligned: this.#unaligned }[button.dataset.do] ?? button.dataset.do === view);
    }
    this.#showFacts(view);
    set(this.querySelector("[data-do=out]"), "aria-disabled", !zoomed);
    set(this.querySelector("[data-do=in]"), "aria-disabled", this.#zoom >= this.#most);
    this.#changed.disconnect();
    this.#changed.observe(this, { subtree: true, childList: true, attributes: true });
  }

  // How much larger than fitting the frame is at its own pixels, and at the most: 800 %.
  get #actual() { return this.#frame.width / (this.#pane("b").firstElementChild.clientWidth || this.#frame.width); }
  get #most() { return Math.max(1, 8 * this.#actual); }
  get #percent() {
    return new Intl.NumberFormat(this.lang, { style: "percent" }).format(this.#zoom / this.#actual);
  }

  // The part of a pane that the picture takes: the cut runs over the picture, not over the empty space beside it.
  get #seen() {
    const pane = this.#pane("b"), image = pane.firstElementChild;
    const width = Math.min(pane.clientWidth, image.clientWidth * this.#zoom);
    const height = Math.min(pane.clientHeight, image.clientHeight * this.#zoom);
    return { width, left: (pane.clientWidth - width) / 2, top: (pane.clientHeight - height) / 2 };
  }

  #say(name, values) {
    this.#speak(this.#said[name].replace(/\{(\w+)\}/g, (_, value) => values[value]));
  }

  #speak(words) {
    this.querySelector(".viewer-said").textContent = words;
    this.#changed.takeRecords();
  }

  #do(what) {
    if (what === "in" || what === "out") this.#zoomBy(what === "in" ? 1.5 : 1 / 1.5);
    else if (what === "fit") this.#toggleFit();
    else if (what === "swap") this.#choose("a", this.#b);
    else if (what === "full") this.#full();
    else if (what === "unaligned") {
      this.#unaligned = !this.#unaligned;
      this.#show();
    } else if (what) {
      this.#view = Viewer.#lastView = what;
      this.#held = false;
      this.#show();
      if (what === "changes" && this.result && this.facts) this.#speak(this.facts.changed.join(" "));
    }
  }

  // Choosing the other side's picture swaps the two, so that they always differ.
  #choose(side, key) {
    if (!side) return;
    const before = this.#frame;
    this.#chosen = true;
    const [one, other] = side === "a" ? [this.#a, this.#b] : [this.#b, this.#a];
    const rest = key === other ? one : other;
    [this.#a, this.#b] = side === "a" ? [key, rest] : [rest, key];
    this.#reframed(before);
    this.#say("comparing", { a: this.#pictures[this.#a].label, b: this.#pictures[this.#b].label });
  }

  #moveCut(input) {
    if (input.type !== "range") return;
    this.#cut = Number(input.value);
    this.#show();
  }

  // Zooms around a point of the screen; without a point, around the middle.
  #zoomBy(factor, point) {
    const image = this.#pane("b").firstElementChild;
    const [right, down] = point ? this.#fromMiddle(point) : [0, 0];
    const zoom = Math.min(Math.max(this.#zoom * factor, 1), this.#most);
    this.#x += right / image.clientWidth * (1 / this.#zoom - 1 / zoom);
    this.#y += down / image.clientHeight * (1 / this.#zoom - 1 / zoom);
    this.#zoom = zoom;
    this.#show();
    this.#say("zoomed", { percent: this.#percent });
  }

  #toggleFit(point) {
    const closer = this.#actual > 1.05 ? this.#actual : 2;
    this.#zoomBy((this.#zoom > 1 ? 1 : closer) / this.#zoom, point);
  }

  #pan(right, down) {
    const image = this.#pane("b").firstElementChild;
    this.#x -= right / (image.clientWidth * this.#zoom);
    this.#y -= down / (image.clientHeight * this.#zoom);
    this.#show();
  }

  #fromMiddle({ clientX, clientY }) {
    const boxes = ["a", "b"].map((side) => this.#pane(side).getBoundingClientRect());
    const box = boxes.find((one) => clientX <= one.right && clientY <= one.bottom) ?? boxes[1];
    return [clientX - box.x - box.width / 2, clientY - box.y - box.height / 2];
  }

  async #full() {
    if (this.#overlay) this.#overlay = false;
    else if (this.#isFull) await document.exitFullscreen();
    else {
      try {
        await this.requestFullscreen();
      } catch {
        // A phone, or a frame of another page, that does not grant it.
        this.#overlay = true;
        this.querySelector(".viewer-stage").focus();
      }
    }
    this.#show();
  }

  #key(event) {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches("select")) return;
    const arrow = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[key];
    if (key === "+" || key === "=") this.#do("in");
    else if (key === "-") this.#do("out");
    else if (key === "0") this.#zoomBy(1 / this.#zoom);
    else if (key === "Escape" && this.#overlay) this.#full();
    else if (arrow && this.#zoom > 1 && target.type !== "range") this.#pan(...arrow);
    else if ((key === " " || key === "Enter") && this.#view === "flip" && target.matches(".viewer-stage")) {
      this.#flip();
    } else return;
    event.preventDefault();
  }

  #flip() {
    this.#held = !this.#held && this.#view === "flip";
    this.#show();
    if (this.#view === "flip") this.#say("showing", { picture: this.#pictures[this.#held ? this.#a : this.#b].label });
  }

  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey && !this.#isFull) return;
    event.preventDefault();
    const turn = event.deltaY * (event.deltaMode ? 16 : 1);
    this.#zoomBy(Math.exp(-Math.min(Math.max(turn, -30), 30) / 100), event);
  }

  // At fit a drag moves the cut; closer up it moves the pictures, unless it begins at the cut.
  #down(event) {
    if (event.button) return;
    event.target.closest(".viewer-stage").setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, event);
    const alone = this.#pointers.size === 1, atCut = this.#zoom === 1 || event.target.matches(".viewer-cut");
    this.#drag = this.dataset.view === "slider" && atCut && alone ? "cut" : "pan";
    if (alone) {
      this.#from = event;
      this.#moved = false;
      this.#rest = this.#held;
      this.#flip();
    }
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const { clientX, clientY } = event;
    // The cut waits for a sideways move: an upright one may be the page being scrolled by touch.
    const across = Math.abs(clientX - this.#from.clientX), along = Math.abs(clientY - this.#from.clientY);
    this.#moved ||= Math.max(across, along) > 3 && (this.#drag !== "cut" || across > along);
    if (!this.#moved) return;
    this.#pointers.set(event.pointerId, event);
    const other = [...this.#pointers.values()].find((pointer) => pointer !== event);
    if (this.#zoom > 1) this.#held = this.#rest;
    if (other) {
      const apart = (pointer) => Math.hypot(pointer.clientX - other.clientX, pointer.clientY - other.clientY);
      const between = { clientX: (clientX + other.clientX) / 2, clientY: (clientY + other.clientY) / 2 };
      this.#zoomBy(apart(event) / Math.max(apart(before), 1), between);
      this.#pan((clientX - before.clientX) / 2, (clientY - before.clientY) / 2);
    } else if (this.#drag === "cut") {
      const stage = this.querySelector(".viewer-stage").getBoundingClientRect(), box = this.#seen;
      this.#cut = Math.min(Math.max((clientX - stage.x - box.left) / box.width * 100, 0), 100);
      this.querySelector("input").focus({ preventScroll: true });
      this.#show();
    } else this.#pan(clientX - before.clientX, clientY - before.clientY);
  }

  // A short press leaves a flip as it is; a long one shows the other picture while it lasts.
  #up(event) {
    if (!this.#pointers.delete(event.pointerId)) return;
    if (event.type === "pointercancel" || event.timeStamp - this.#from.timeStamp > 250) this.#held = this.#rest;
    this.#show();
  }
});

// Posts fields to the server; returns its facts, or its own words where it refuses.
window.wanAsk = async (path, fields) => {
  const lang = new URLSearchParams(location.search).get("lang") ?? "";
  try {
    const answer = await fetch(`${path}?lang=${encodeURIComponent(lang)}`, { method: "POST", body: new URLSearchParams(fields) });
    return answer.ok ? { facts: await answer.json() } : await answer.json();
  } catch {
    return {};
  }
};

// Loads a map of what changed: its size, and for each pixel whether it changed; null where it can't be read.
window.wanMap = async (url) => {
  const image = Object.assign(new Image(), { src: url });
  try {
    await image.decode();
  } catch {
    return null;
  }
  const { naturalWidth: width, naturalHeight: height } = image;
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  context.drawImage(image, 0, 0);
  return { width, height, changed: context.getImageData(0, 0, width, height).data.filter((_, place) => place % 4 === 0) };
};

function set(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

// The nearest place for the middle at which the picture leaves no gap, where this share of it is seen.
function middle(place, share) {
  return share < 1 ? Math.min(Math.max(place, share / 2), 1 - share / 2) : 0.5;
}
