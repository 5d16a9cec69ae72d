// Talking to the server: one function, and what it raises when the server says no.

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
