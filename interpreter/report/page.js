"use strict";
// Paper has no folds: all but the numbers behind figures and the single replicates is printed.
const folds = [...document.querySelectorAll("details:not(.behind):not(.each)")];
let closed = [];
window.addEventListener("beforeprint", () => {
  closed = folds.filter((fold) => !fold.open);
  for (const fold of closed) fold.open = true;
});
window.addEventListener("afterprint", () => { for (const fold of closed) fold.open = false; });
