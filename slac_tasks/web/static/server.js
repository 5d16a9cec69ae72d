// Talking to the server: to ask, to post, and what both raise when the server says no.

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

// Returns the answer's JSON. Raises Refused with the status, or the browser's own TypeError without a connection.
export async function ask(path, options = {}) {
  const response = await fetch(path, { ...options, headers: { Accept: "application/json", ...options.headers } });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, typeof body.detail === "string" ? body.detail : "");
  return body;
}

// Posts something to the server, as JSON. The header says that a page of its own does: no form of another site can set it.
export function post(path, what = {}, options = {}) {
  const headers = { "Content-Type": "application/json", "X-Requested-With": "slac" };
  return ask(path, { ...options, method: "POST", headers, body: JSON.stringify(what) });
}
