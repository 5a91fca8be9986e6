// The picture slots: choosing, dropping, pasting, photographing and moving pictures, their upload, and the server's
// check of them. A slot's value is null, the path of an uploaded file, or `WAN_PENDING` during the upload: the server
// refuses that as a missing picture, so no request goes out without it.

const WAN_PENDING = "pending";
const WAN_PICTURE_TYPE = "application/x-wan-picture";
// Controls that depend on the pictures: a press is deferred while one is being uploaded.
const WAN_DEFERRED = "#generate, #anyway, #swaps button, #like, #findings [data-fix], #request-box > button:not([aria-expanded=true])";
const WAN_SUBMITS = "#generate, #anyway";
const WAN_SLOT = `
  <button type="button" class="slot-choose"><svg viewBox="0 0 24 24"><path d="M12 5v14M5 12h14"/></svg><span></span></button>
  <div class="slot-tools">
    <button type="button" data-does="retry"><svg viewBox="0 0 24 24"><path d="M4 12a8 8 0 1 0 3-6.2M4 4v5h5"/></svg></button>
    <button type="button" data-does="choose"><svg viewBox="0 0 24 24"><path d="M4 20h4L19 9l-4-4L4 16z"/></svg></button>
    <button type="button" data-does="paste"><svg viewBox="0 0 24 24"><path d="M9 4h6v3H9zM9 5H6v15h12V5h-3"/></svg></button>
    <button type="button" data-does="photograph"><svg viewBox="0 0 24 24"><path d="M4 8h4l2-3h4l2 3h4v11H4z"/><circle cx="12" cy="13" r="3.5"/></svg></button>
    <button type="button" data-does="remove"><svg viewBox="0 0 24 24"><path d="M6 6l12 12M18 6L6 18"/></svg></button>
  </div>
  <span class="slot-name"></span>
  <progress max="1" hidden></progress>
  <p class="slot-words said"></p>
  <input type="file" multiple hidden>`;
const WAN_CAMERA = `
  <h2></h2><p role="alert"></p><video autoplay playsinline muted></video>
  <div><button type="button" class="pill" data-does="shoot"></button><button type="button" class="pill" data-does="back"></button></div>`;

const wanSlots = [];
// The server's check of each picture, as a promise, by slot and path.
const wanPictureChecks = new Map();
let wanDeferredPress = null;
// The deferred press is about to be repeated; another press until then is the second of a double click.
let wanPressingDeferred = false;
// Whether the aspect ratio is about to follow image 1: no run may go out with another ratio than the page will show.
let wanRatioPending = false;
const WAN_RATIO_WAIT_MS = 5000;

function wanWord(key, values = {}) {
  return Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, value), window.wanWords[key]);
}

class WanSlot {
  #trigger;
  #upload = null;
  #failure = null;
  #verdict = null;
  #notice = null;
  #settled = null;

  constructor(element, props, trigger) {
    this.number = props.number;
    this.props = props;
    this.#trigger = trigger;
    this.element = element;
    element.classList.add("slot");
    element.dataset.number = this.number;
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", this.name);
    element.innerHTML = WAN_SLOT;
    this.#part(".slot-name").textContent = this.name;
    this.#part(".slot-choose span").textContent = wanWord("slot.add");
    this.#part(".slot-choose").setAttribute("aria-label", `${this.name}: ${wanWord("slot.add")}`);
    this.#part("progress").setAttribute("aria-label", this.name);
    for (const button of element.querySelectorAll("[data-does]")) {
      button.title = wanWord(`slot.${button.dataset.does}`);
      button.setAttribute("aria-label", `${this.name}: ${button.title}`);
    }
    const input = this.#part("input");
    input.setAttribute("aria-label", `${this.name}: ${wanWord("slot.choose")}`);
    input.addEventListener("change", () => {
      this.give([...input.files]);
      input.value = "";
    });
    element.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) this[button.dataset.does ?? "choose"]();
    });
    this.changed();
  }

  get name() { return wanWord(`slot.${this.number}`); }
  get path() { return this.props.value && this.props.value !== WAN_PENDING ? this.props.value : null; }
  get isEmpty() { return !this.props.value; }
  get isUploading() { return this.#upload !== null; }
  // Whether there is something in the slot that can't be sent.
  get isBroken() { return !this.isUploading && !this.isEmpty && (!this.path || ["refused", "gone"].includes(this.#verdict?.state)); }

  // The value was set, by the server or here. A notice from giving the picture still holds once its upload arrives.
  changed(arrived = false) {
    if (this.props.value !== WAN_PENDING) {
      this.#stop();
      this.#failure = null;
    }
    this.#verdict = null;
    if (!arrived) this.#notice = null;
    this.render();
    if (this.path) this.#judge(this.path);
    this.#settle();
  }

  #settle() {
    if (this.props.value === WAN_PENDING || this.path === this.#settled) return;
    this.#settled = this.path;
    if (this.number === 1) {
      wanRatioPending = true;
      setTimeout(() => window.wanFollowed(), WAN_RATIO_WAIT_MS);
    }
    // Gradio passes the new value on with the next turn of the event loop.
    setTimeout(() => this.#trigger("settled"));
  }

  set(value) {
    this.props.value = value;
    this.changed();
  }

  // The first file goes here, the next ones into the following empty slots; the names of the rest are shown.
  give(files) {
    if (!files.length) return;
    const places = [this, ...wanSlots.slice(this.number).filter((slot) => slot.isEmpty)];
    const rest = files.slice(places.length);
    files.slice(0, places.length).forEach((file, index) => places[index].#send(file));
    if (rest.length) this.say("slot.rest", { names: rest.map((file) => file.name).join(", ") });
  }

  // A picture of this page: another slot's, a run's, an example's.
  take({ slot, path, example }) {
    if (path) this.set(path);
    else if (example) this.#trigger("example", { name: example });
    else if (slot && slot !== this.number) this.#trigger("move", { from: slot, to: this.number });
  }

  say(key, values) {
    this.#notice = wanWord(key, values);
    this.render();
  }

  choose() { this.#part("input").click(); }

  remove() {
    this.set(null);
    this.#part(".slot-choose").focus();
  }

  retry() { this.#send(this.#failure.file); }

  async paste() {
    let pictures;
    try {
      const items = await navigator.clipboard.read();
      pictures = items.flatMap((item) => item.types.filter((type) => type.startsWith("image/")).map((type) => [item, type]));
    } catch {
      // Refused, or on plain http, where there is no clipboard.
      this.say("slot.paste.refused");
      return;
    }
    if (!pictures.length) this.say("slot.paste.none");
    else this.give([await pictures[0][0].getType(pictures[0][1])]);
  }

  photograph() {
    if (matchMedia("(pointer: coarse)").matches) {
      // A phone's own camera app.
      const input = Object.assign(document.createElement("input"), { type: "file", accept: "image/*" });
      input.setAttribute("capture", "environment");
      input.addEventListener("change", () => this.give([...input.files]));
      input.click();
    } else new WanCamera(this);
  }

  focus() {
    const button = [...this.element.querySelectorAll("button")].find((one) => one.checkVisibility());
    button?.focus();
  }

  render() {
    const { element } = this, words = [];
    const state = this.isUploading ? "uploading" : this.#failure ? "failed" : this.path ? this.#verdict?.state ?? "judging" : this.isEmpty ? "empty" : "failed";
    element.dataset.state = state;
    if (this.isUploading) {
      words.push(wanWord("slot.uploading"));
      if (wanDeferredPress) words.push(wanWord("slot.held"));
    } else if (this.#failure) words.push(this.#failure.words);
    else if (state === "failed") words.push(wanWord("slot.failed.broken"));
    words.push(...(this.#verdict?.words ?? []));
    if (this.#notice) words.push(this.#notice);
    const said = this.#part(".slot-words");
    if (said.textContent !== words.join(" ")) said.textContent = words.join(" ");
    const bar = this.#part("progress");
    bar.hidden = !this.isUploading;
    if (this.#upload?.share) bar.value = this.#upload.share;
    else bar.removeAttribute("value");
    this.#part(".slot-choose").hidden = !this.isEmpty;
    this.#part("[data-does=retry]").hidden = !this.#failure;
    this.#part("[data-does=remove]").hidden = this.isEmpty;
    this.#part("[data-does=choose]").hidden = this.isEmpty;
    this.#part("[data-does=paste]").hidden = this.#part("[data-does=photograph]").hidden = !this.isEmpty;
    this.#draw();
  }

  #part(selector) { return this.element.querySelector(selector); }

  // The file itself where the browser can show it, else the small copy that the server made.
  #draw() {
    const shows = this.#upload?.preview ?? (this.path ? `gradio_api/file=${encodeURIComponent(this.path).replaceAll("%2F", "/")}` : null);
    let image = this.#part("img");
    if (!shows || ["gone", "refused"].includes(this.#verdict?.state)) {
      image?.remove();
      return;
    }
    if (!image) {
      image = Object.assign(document.createElement("img"), { alt: this.name, draggable: true });
      image.addEventListener("error", () => { image.dataset.unseen = ""; });
      image.addEventListener("load", () => { delete image.dataset.unseen; });
      image.addEventListener("error", () => this.#draw());
      this.element.prepend(image);
    }
    const small = this.#verdict?.thumbnail;
    if (image.wanShows !== shows) image.src = image.wanShows = shows;
    else if (small && "unseen" in image.dataset && image.src !== small) image.src = small;
  }

  #send(file) {
    this.#stop();
    const request = new XMLHttpRequest(), form = new FormData();
    const upload = { file, request, share: 0, preview: URL.createObjectURL(file) };
    form.append("files", file, file.name || `picture.${file.type.split("/")[1] ?? "png"}`);
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      upload.share = total ? loaded / total : 0;
      this.render();
    });
    request.addEventListener("loadend", () => {
      if (this.#upload === upload) this.#sent(upload);
    });
    this.#upload = upload;
    this.#failure = this.#verdict = this.#notice = null;
    this.props.value = WAN_PENDING;
    this.render();
    request.open("POST", "gradio_api/upload");
    request.send(form);
  }

  #sent({ file, request }) {
    let path = null;
    try {
      if (request.status === 200) [path] = JSON.parse(request.responseText);
    } catch { /* the answer is not Gradio's */ }
    if (path) {
      wanPictureChecks.delete(`${this.number} ${path}`);
      wanNoteUploads([path]);
      this.props.value = path;
      this.changed(true);
    } else {
      const reason = { 0: "broken", 413: "too_large", 429: "too_many", 507: "full" }[request.status] ?? "server";
      this.#failure = { file, words: wanWord(`slot.failed.${reason}`) };
      this.#stop();
      this.render();
    }
    wanPressDeferred();
  }

  #stop() {
    const upload = this.#upload;
    this.#upload = null;
    upload?.request.abort();
    if (upload) URL.revokeObjectURL(upload.preview);
    wanPressDeferred();
  }

  async #judge(path) {
    const key = `${this.number} ${path}`;
    if (!wanPictureChecks.has(key)) wanPictureChecks.set(key, wanCheckPicture(path, this.number));
    const verdict = await wanPictureChecks.get(key);
    if (!verdict) wanPictureChecks.delete(key);
    if (this.path !== path) return;
    this.#verdict = verdict;
    this.render();
  }
}

async function wanCheckPicture(path, number) {
  const lang = new URLSearchParams(location.search).get("lang") ?? "";
  try {
    const answer = await fetch(`slot?lang=${encodeURIComponent(lang)}`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ path, number }),
    });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

// A photo by the computer's camera, stored as it is and not as in a mirror.
class WanCamera {
  #slot;
  #stream = null;
  #dialog = Object.assign(document.createElement("dialog"), { className: "camera", innerHTML: WAN_CAMERA });

  constructor(slot) {
    this.#slot = slot;
    const dialog = this.#dialog;
    dialog.querySelector("h2").textContent = `${slot.name}: ${wanWord("slot.photograph")}`;
    dialog.setAttribute("aria-label", dialog.querySelector("h2").textContent);
    for (const button of dialog.querySelectorAll("[data-does]")) button.textContent = wanWord(`camera.${button.dataset.does}`);
    dialog.querySelector("[data-does=shoot]").disabled = true;
    dialog.addEventListener("click", ({ target }) => {
      if (target.dataset.does === "shoot") this.#shoot();
      else if (target.dataset.does === "back" || target === dialog) dialog.close();
    });
    dialog.addEventListener("close", () => {
      this.#stop();
      dialog.remove();
      slot.focus();
    });
    document.body.append(dialog);
    dialog.showModal();
    this.#open();
  }

  async #open() {
    const video = this.#dialog.querySelector("video");
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1920 }, height: { ideal: 1080 } } });
      if (!this.#dialog.open) this.#stop();
      video.srcObject = this.#stream;
      await video.play();
      this.#dialog.querySelector("[data-does=shoot]").disabled = false;
    } catch (problem) {
      const reason = !navigator.mediaDevices ? "insecure" : { NotAllowedError: "refused", NotFoundError: "none" }[problem.name] ?? "busy";
      video.hidden = true;
      this.#dialog.querySelector("[role=alert]").textContent = wanWord(`camera.${reason}`);
    }
  }

  #shoot() {
    const video = this.#dialog.querySelector("video");
    const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => this.#slot.give([new File([blob], "camera.png", { type: "image/png" })]), "image/png");
    this.#dialog.close();
  }

  #stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
  }
}

// Repeats the press that was deferred during an upload, unless the upload failed.
function wanPressDeferred() {
  if (!wanDeferredPress || wanRatioPending || wanSlots.some((slot) => slot.isUploading)) return;
  const button = wanDeferredPress, broken = wanSlots.find((slot) => slot.isBroken);
  wanDeferredPress = null;
  button.removeAttribute("aria-busy");
  if (broken) broken.focus();
  // Gradio passes the new value on with the next turn of the event loop.
  else {
    wanPressingDeferred = true;
    setTimeout(() => {
      wanPressingDeferred = false;
      button.click();
    });
  }
}

// Called once the page shows the aspect ratio of image 1, or when the server does not answer in time.
window.wanFollowed = () => {
  wanRatioPending = false;
  wanPressDeferred();
};

window.addEventListener("click", (event) => {
  const button = event.target.closest?.(WAN_DEFERRED);
  if (!button || button.disabled) return;
  const broken = button.matches(WAN_SUBMITS) && wanSlots.find((slot) => slot.isBroken);
  const waits = wanRatioPending || wanSlots.some((slot) => slot.isUploading);
  if (!waits && !broken && !wanPressingDeferred) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (waits) {
    wanDeferredPress ??= button;
    wanDeferredPress.setAttribute("aria-busy", "true");
    for (const slot of wanSlots) slot.render();
  } else broken?.focus();
}, true);

function wanIsText(target) {
  return Boolean(target.closest?.("textarea, input:not([type=file], [type=range], [type=checkbox], [type=radio]), [contenteditable]"));
}

function wanSlotAt({ target }) {
  return wanSlots[target.closest?.("#slots .slot")?.dataset.number - 1];
}

// Into the slot under the pointer or in focus, else into the first that is empty.
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  const pointed = document.querySelector("#slots .slot:is(:hover, :focus-within)");
  // Copied words may come with a picture of themselves.
  if (wanIsText(event.target) && event.clipboardData?.types.includes("text/plain")) return;
  const slot = wanSlots[pointed?.dataset.number - 1];
  if (!files.length) {
    if (slot && !wanIsText(event.target)) slot.say("slot.paste.none");
    return;
  }
  event.preventDefault();
  const place = slot ?? wanSlots.find((one) => one.isEmpty);
  if (place) place.give(files);
  else wanSlots[0].say("slot.paste.full");
});

// The data of a dragged picture of this page.
function wanDragData(target) {
  const slot = wanSlotAt({ target });
  if (slot) return slot.path ? { slot: slot.number } : null;
  const picture = target.closest?.("[data-picture]")?.dataset.picture;
  if (picture) return { path: wanOwnPath(picture) };
  const example = target.closest?.(".example")?.dataset.name;
  return example ? { example } : null;
}

// The path of an uploaded file or a result, where the address is one of this page's.
function wanOwnPath(address) {
  const url = new URL(address, location.href), [, path] = url.pathname.split("gradio_api/file=");
  return url.origin === location.origin && path ? decodeURIComponent(path) : null;
}

function wanDragType({ dataTransfer }) {
  return [WAN_PICTURE_TYPE, "Files", "text/uri-list"].find((type) => dataTransfer?.types.includes(type));
}

document.addEventListener("dragstart", (event) => {
  const dragged = wanDragData(event.target);
  if (dragged) event.dataTransfer.setData(WAN_PICTURE_TYPE, JSON.stringify(dragged));
});

// A drop must never navigate away from the page.
document.addEventListener("dragover", (event) => {
  const kind = wanDragType(event), slot = wanSlotAt(event);
  if (!kind || (kind === "text/uri-list" && wanIsText(event.target))) return;
  event.preventDefault();
  if (!slot && kind !== "Files") event.dataTransfer.dropEffect = "none";
  for (const one of wanSlots) one.element.toggleAttribute("data-over", one === slot);
});

for (const over of ["dragleave", "dragend", "drop"]) {
  document.addEventListener(over, () => wanSlots.forEach((one) => one.element.removeAttribute("data-over")));
}

document.addEventListener("drop", (event) => {
  const kind = wanDragType(event), slot = wanSlotAt(event);
  if (!kind || (kind === "text/uri-list" && wanIsText(event.target))) return;
  event.preventDefault();
  if (!slot) return;
  const own = event.dataTransfer.getData(WAN_PICTURE_TYPE), files = [...event.dataTransfer.files];
  const address = event.dataTransfer.getData("text/uri-list").split(/\r?\n/).find((line) => line && !line.startsWith("#"));
  const path = address && wanOwnPath(address);
  if (own) slot.take(JSON.parse(own));
  else if (path) slot.set(path);
  else if (files.length) slot.give(files);
  else slot.say("slot.foreign");
});

// Gradio calls this for each slot as it draws it, with the arguments of `js_on_load`.
window.wanSlot = (element, props, trigger, watch) => {
  const slot = new WanSlot(element, props, trigger);
  wanSlots[slot.number - 1] = slot;
  watch("value", () => slot.changed());
};
