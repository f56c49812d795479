"use strict";
(async () => {
  const byId = (name) => document.getElementById(name);
  const layers = JSON.parse(byId("layer-data").textContent);
  const colours = ["gray", "red", "green", "blue", "violet", "cyan", "copper", "warm", "cool", "hot", "viridis", "plasma"];
  const decode = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  if (!document.createElement("canvas").getContext("webgl2")) return;
  const viewer = new niivue.Niivue({
    isRadiologicalConvention: true,
    isOrientationTextVisible: true,
    isRuler: true,
    isResizeCanvas: true,
    sagittalNoseLeft: true,
    dragAndDropEnabled: false,
    backColor: [0, 0, 0, 1],
    multiplanarShowRender: 0,
    crosshairWidthUnit: "mm",
    // No colour of a mask, nor of the scan.
    crosshairColor: [0.25, 0.8, 1, 1],
    logLevel: "error",
    onLocationChange: (place) => {
      const at = Array.from(place.mm).slice(0, 3).map((each) => each.toFixed(1)).join(", ");
      // Of several channels the library knows one number that no voxel has.
      const values = place.values.map((each, number) => layers[number]?.channels > 1 ? layers[number].name
        : `${layers[number] ? layers[number].name : each.name} ${Number(each.value.toPrecision(6))}`);
      byId("place").textContent = `${at} mm: ${values.join("; ")}`;
    },
  });
  try {
    byId("scene").hidden = false;
    await viewer.attachTo("canvas");
    const found = [];
    for (const [number, layer] of layers.entries()) {
      found.push(await niivue.NVImage.loadFromUrl({
        url: `layer${number}.nii.gz`,
        buffer: decode(layer.voxels),
        name: `layer${number}.nii.gz`,
        colormap: layer.colours,
        opacity: layer.opacity,
        cal_min: layer.low,
        cal_max: layer.high,
      }));
    }
    for (const image of found) viewer.addVolume(image);
    for (const [number, layer] of layers.entries()) {
      if (layer.labels) {
        const image = viewer.volumes[number];
        const most = Math.round(image.global_max);
        const hues = Array.from({ length: most + 1 }, (_, label) => (label * 0.618033988749895) % 1);
        // 0 is the background: black where nothing lies below.
        const rgb = hues.map((hue, label) => [0, 2, 4].map((shift) => label && Math.round(255 * Math.min(1, Math.max(0, Math.abs(((hue * 6 + shift) % 6) - 3) - 1)))));
        image.setColormapLabel({
          R: rgb.map((each) => each[0]), G: rgb.map((each) => each[1]), B: rgb.map((each) => each[2]),
          A: rgb.map((_, label) => (label ? 255 : 0)), I: rgb.map((_, label) => label),
          labels: rgb.map((_, label) => (label ? String(label) : "")),
        });
      }
    }
    viewer.setSliceType(viewer.sliceTypeMultiplanar);
    viewer.updateGLVolume();
    viewer.createOnLocationChange();
  } catch (error) {
    byId("scene").hidden = true;
    byId("reason").textContent = `The layers cannot be drawn (${error.message}): see the pictures instead.`;
    return;
  }

  // The library gives it a size in the body, of which less than a pixel may not be drawn at all.
  const adaptCrosshair = () => {
    const plane = viewer.screenSlices.find((each) => each.axCorSag <= viewer.sliceTypeSagittal);
    if (!plane) return;
    // Pixels of a tube, whose edges are dark; the field of view is negative where it runs against the axis.
    const thin = 2.5 * Math.abs(plane.fovMM[0]) / plane.leftTopWidthHeight[2];
    viewer.setCrosshairWidth(byId("crosshair").checked ? thin : 0);
  };
  adaptCrosshair();
  byId("planes").hidden = false;
  byId("pictures").hidden = true;
  for (const input of document.querySelectorAll("input[name=plane]")) {
    input.addEventListener("change", () => {
      viewer.setSliceType(Number(input.value));
      adaptCrosshair();
    });
  }
  byId("crosshair").addEventListener("change", adaptCrosshair);
  new ResizeObserver(() => requestAnimationFrame(adaptCrosshair)).observe(byId("canvas"));

  layers.forEach((layer, number) => {
    const image = () => viewer.volumes[number];
    const shown = element("input", { type: "checkbox", checked: true });
    const opacity = element("input", { type: "range", min: 0, max: 1, step: 0.01, value: layer.opacity });
    const update = () => viewer.setOpacity(number, shown.checked ? Number(opacity.value) : 0);
    shown.addEventListener("change", update);
    opacity.addEventListener("input", update);
    const parts = [
      element("legend", {}, shown, ` ${layer.name}`),
      element("p", {}, layer.text),
      element("label", {}, "opacity", opacity),
    ];
    shown.setAttribute("aria-label", `show ${layer.name}`);
    if (!layer.labels && layer.channels === 1) {
      const map = element("select", {}, ...colours.map((name) =>
        element("option", { value: name, selected: name === layer.colours }, name)));
      map.addEventListener("change", () => viewer.setColormap(image().id, map.value));
      const ends = ["low", "high"].map((end) => {
        const input = element("input", { type: "number", step: "any", value: layer[end] });
        input.setAttribute("aria-label", `${end === "low" ? "lowest" : "highest"} value in the window of ${layer.name}`);
        input.addEventListener("change", () => {
          image()[end === "low" ? "cal_min" : "cal_max"] = Number(input.value);
          viewer.updateGLVolume();
        });
        return input;
      });
      parts.push(
        element("label", {}, "colours", map),
        element("label", {}, "window", element("span", { className: "window" }, ...ends)),
      );
    }
    byId("layers").append(element("fieldset", {}, ...parts));
  });

  byId("canvas").addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-1, 0, 0], ArrowRight: [1, 0, 0], ArrowUp: [0, 1, 0], ArrowDown: [0, -1, 0], PageUp: [0, 0, 1], PageDown: [0, 0, -1] };
    if (!steps[event.key]) return;
    event.preventDefault();
    viewer.moveCrosshairInVox(...steps[event.key]);
  });
  document.body.dataset.ready = "true";
})();
