/** The syntax of methods, names of headers and subprotocols, by RFC 9110. */
export const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** What no value of a header contains. */
export const NOT_IN_HEADERS = /[^\t\x20-\x7e\x80-\xff]/;
