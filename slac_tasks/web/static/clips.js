// Filters answer to a choice at once; the button is for those who have no script.
for (const form of document.querySelectorAll("form.filters")) {
  form.querySelector("button").hidden = true;
  form.addEventListener("change", () => {
    for (const field of form.elements) if (!field.value) field.disabled = true; // an address without empty filters
    form.submit();
  });
  // Back from the next page: the browser may show this one as it was left.
  addEventListener("pageshow", () => {
    for (const field of form.elements) field.disabled = false;
  });
}
