// "Keep the rest": a person paints where a result may change, and the server restores the original everywhere else.

const WAN_PAINT = "#ff3d9a";
// As a share of the shorter side: a changed area is painted with this margin, as the result fades in inside the mask.
const WAN_MARGIN = 0.025;
// The painted steps by result, and the mask of a dropped recipe.
const wanMaskSteps = new Map();
let wanRecipeMask = null;

new MutationObserver(() => {
  const note = document.querySelector("#status .recipe-note"), mask = note?.querySelector(".kept-mask")?.value ?? "";
  if (!note || note.wanHandled === mask) return;
  note.wanHandled = mask;
  wanRecipeMask = mask || null;
  if (mask) wanMaskSteps.clear();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["value"] });

document.addEventListener("click", ({ target }) => {
  const viewer = target.closest?.("[data-keep]")?.closest("wan-viewer");
  if (viewer?.facts) new WanPainter(viewer);
});

function wanCanvas(width, height) { return Object.assign(document.createElement("canvas"), { width, height }); }

class WanPainter {
  #dialog; #stage; #canvas; #result; #facts;
  // A promise of what changed; null where that is not known.
  #map;
  #steps; #tool = "brush"; #stroke = null;
  // The last press, which may wait to know what changed: the next is done once it is.
  #last = Promise.resolve();
  // Where the keyboard paints, in pixels of the result.
  #x; #y;

  constructor(viewer) {
    this.#result = viewer.edited;
    this.#facts = viewer.facts;
    const { key, url, width, height } = this.#result, { map, aligned, sizes } = this.#facts;
    const dialog = this.#dialog = viewer.querySelector("template").content.firstElementChild.cloneNode(true);
    this.#stage = dialog.querySelector(".keep-stage");
    this.#canvas = Object.assign(dialog.querySelector("canvas"), { width, height });
    [this.#x, this.#y] = [width / 2, height / 2];
    this.#stage.style.setProperty("--ratio", `${width}/${height}`);
    dialog.querySelector("img").src = url;
    dialog.querySelector(".keep-warning").hidden = Boolean(aligned);
    for (const [value, words] of Object.entries(sizes)) if (words) dialog.querySelector("select").add(new Option(words, value));
    for (const button of dialog.querySelectorAll("[data-tool=area], [data-does=all]")) button.hidden = !map;
    if (!wanMaskSteps.has(key)) wanMaskSteps.set(key, []);
    this.#steps = wanMaskSteps.get(key);
    dialog.addEventListener("click", (event) => this.#click(event));
    dialog.addEventListener("close", () => dialog.remove());
    this.#stage.addEventListener("keydown", (event) => this.#key(event));
    this.#stage.addEventListener("focusout", () => this.#point(false));
    this.#canvas.addEventListener("pointerdown", (event) => this.#down(event));
    this.#canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) this.#canvas.addEventListener(end, () => { this.#stroke = null; });
    document.body.append(dialog);
    dialog.showModal();
    this.#map = map ? window.wanMap(map) : Promise.resolve(null);
    this.#prepare();
  }

  async #prepare() {
    if (wanRecipeMask && !this.#steps.length) {
      const mask = await window.wanMap(`data:image/png;base64,${wanRecipeMask}`);
      wanRecipeMask = null;
      if (mask && Math.abs(mask.width / mask.height - this.#canvas.width / this.#canvas.height) < 0.02) {
        this.#do({ drawn: this.#drawn(mask, (place) => mask.changed[place]) });
      }
    }
    this.#redraw();
  }

  #say(name) { this.#dialog.querySelector(".keep-said").textContent = this.#dialog.querySelector(".keep-said").dataset[name] ?? name; }

  get #width() { return Number(this.#dialog.querySelector("input").value) / 100 * Math.min(this.#canvas.width, this.#canvas.height); }

  #click({ target }) {
    const { tool, does } = target.closest("button")?.dataset ?? {};
    if (tool) {
      this.#tool = tool;
      for (const button of this.#dialog.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", button.dataset.tool === tool);
    } else if (does === "close") this.#dialog.close();
    else if (does === "undo") this.#inTurn(() => this.#undo());
    else if (does === "clear") this.#inTurn(() => this.#do({ clear: true }));
    else if (does === "all") this.#inTurn(() => this.#all());
    // What waits for the server holds up no press after it.
    else if (does === "make") this.#inTurn(() => { this.#make(); });
  }

  #inTurn(act) { this.#last = this.#last.finally(act); }

  #place({ clientX, clientY }) {
    const box = this.#canvas.getBoundingClientRect();
    return [(clientX - box.x) / box.width * this.#canvas.width, (clientY - box.y) / box.height * this.#canvas.height];
  }

  #down(event) {
    if (event.button || !event.isPrimary) return;
    event.preventDefault();
    this.#canvas.setPointerCapture(event.pointerId);
    this.#apply(...this.#place(event));
  }

  #move(event) {
    if (!this.#stroke || !event.isPrimary) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) this.#extend(this.#place(each));
  }

  // One press of the tool at a place.
  #apply(x, y) {
    if (this.#tool === "area") this.#inTurn(() => this.#take(x, y));
    else {
      this.#stroke = { erases: this.#tool === "eraser", width: this.#width, points: [[x, y]] };
      this.#do(this.#stroke);
    }
  }

  #extend(place) {
    const { points } = this.#stroke;
    points.push(place);
    this.#draw({ ...this.#stroke, points: points.slice(-2) });
  }

  // Paints everything that changed.
  async #all() {
    const map = await this.#map;
    if (map) this.#do({ drawn: this.#widened(map, (place) => map.changed[place]) });
  }

  // Paints the changed area at a place, or erases it if it is painted.
  async #take(x, y) {
    const map = await this.#map;
    if (!map) return;
    const { width, height, changed } = map;
    const start = Math.floor(y / this.#canvas.height * height) * width + Math.floor(x / this.#canvas.width * width);
    if (!changed[start]) {
      this.#say("nowhere");
      return;
    }
    this.#say("");
    const found = new Uint8Array(changed.length), left = [start];
    found[start] = 1;
    while (left.length) {
      const place = left.pop(), column = place % width;
      for (let down = -width; down <= width; down += width) {
        for (let across = -1; across <= 1; across += 1) {
          const next = place + down + across;
          if (column + across >= 0 && column + across < width && changed[next] && !found[next]) {
            found[next] = 1;
            left.push(next);
          }
        }
      }
    }
    const [, , , painted] = this.#canvas.getContext("2d").getImageData(x, y, 1, 1).data;
    this.#do({ erases: painted > 127, drawn: this.#widened(map, (place) => found[place]) });
  }

  #drawn({ width, height }, has) {
    const canvas = wanCanvas(width, height), context = canvas.getContext("2d"), image = context.createImageData(width, height);
    for (let place = 0; place < width * height; place += 1) if (has(place)) image.data.fill(255, 4 * place, 4 * place + 4);
    context.putImageData(image, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = WAN_PAINT;
    context.fillRect(0, 0, width, height);
    return canvas;
  }

  // The same with a margin around it.
  #widened(map, has) {
    const { width, height } = map, drawn = this.#drawn(map, has), wider = wanCanvas(width, height), context = wider.getContext("2d");
    const reach = WAN_MARGIN * Math.min(width, height);
    for (let turn = 0; turn < 24; turn += 1) {
      for (const share of [0, 0.5, 1]) {
        const angle = turn / 24 * 2 * Math.PI;
        context.drawImage(drawn, share * reach * Math.cos(angle), share * reach * Math.sin(angle));
      }
    }
    return wider;
  }

  #do(step) {
    this.#steps.push(step);
    this.#draw(step);
  }

  #draw({ clear, drawn, erases, width, points }) {
    const canvas = this.#canvas, context = canvas.getContext("2d");
    context.globalCompositeOperation = erases ? "destination-out" : "source-over";
    if (clear) context.clearRect(0, 0, canvas.width, canvas.height);
    else if (drawn) context.drawImage(drawn, 0, 0, canvas.width, canvas.height);
    else {
      Object.assign(context, { lineWidth: width, lineCap: "round", lineJoin: "round", strokeStyle: WAN_PAINT, fillStyle: WAN_PAINT });
      context.beginPath();
      context.arc(...points[0], width / 2, 0, 2 * Math.PI);
      context.fill();
      context.beginPath();
      for (const point of points) context.lineTo(...point);
      context.stroke();
    }
    context.globalCompositeOperation = "source-over";
  }

  #undo() {
    this.#steps.pop();
    this.#redraw();
  }

  #redraw() {
    this.#draw({ clear: true });
    for (const step of this.#steps) this.#draw(step);
  }

  // By keyboard the arrows move the brush, and space or Enter applies it.
  #key(event) {
    const { key, ctrlKey, metaKey, shiftKey } = event, far = shiftKey ? 0.1 : 0.02;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    if (arrow) {
      this.#x = Math.min(Math.max(this.#x + arrow[0] * far * this.#canvas.width, 0), this.#canvas.width - 1);
      this.#y = Math.min(Math.max(this.#y + arrow[1] * far * this.#canvas.height, 0), this.#canvas.height - 1);
    } else if (key === " " || key === "Enter") this.#apply(this.#x, this.#y);
    else if (key === "z" && (ctrlKey || metaKey)) this.#inTurn(() => this.#undo());
    else return;
    this.#stroke = null;
    event.preventDefault();
    this.#point(true);
  }

  #point(shown) {
    const cursor = this.#dialog.querySelector(".keep-cursor");
    cursor.hidden = !shown;
    Object.assign(cursor.style, {
      left: `${this.#x / this.#canvas.width * 100}%`, top: `${this.#y / this.#canvas.height * 100}%`,
      width: `${this.#width / this.#canvas.width * 100}%`,
    });
  }

  // White where it is painted, black elsewhere; null where nothing is.
  #mask() {
    const { width, height } = this.#canvas;
    const painted = this.#canvas.getContext("2d").getImageData(0, 0, width, height).data;
    if (!painted.some((value, place) => place % 4 === 3 && value > 127)) return null;
    const canvas = wanCanvas(width, height), context = canvas.getContext("2d"), image = context.createImageData(width, height);
    for (let place = 0; place < painted.length; place += 4) image.data.set(painted[place + 3] > 127 ? [255, 255, 255, 255] : [0, 0, 0, 255], place);
    context.putImageData(image, 0, 0);
    return canvas.toDataURL("image/png").split(",")[1];
  }

  async #make() {
    const mask = this.#mask(), button = this.#dialog.querySelector(".keep-make"), { key } = this.#result;
    if (button.getAttribute("aria-disabled") === "true") return;
    if (!mask) {
      this.#say("empty");
      return;
    }
    button.setAttribute("aria-disabled", "true");
    this.#say("working");
    const { facts, problem } = await window.wanAsk("keep", { key, mask, size: this.#dialog.querySelector("select").value });
    button.setAttribute("aria-disabled", "false");
    if (!facts) {
      this.#say(problem ?? "failed");
      return;
    }
    this.#dialog.close();
    const made = document.querySelector("#result .kept-made");
    Object.assign(made.dataset, { key, number: facts.number });
    made.click();
  }
}
