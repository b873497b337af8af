/** The numbers by which the real server rejects requests, beside those of JSON-RPC that the client knows. */
export const INVALID_REQUEST = -32600;
export const NOT_FOUND = -32004;
