const HIDDEN = '[redacted]';

/** `Authorization` headers with whatever stands in them, and bearer tokens wherever they stand (RFC 6750). */
const AUTHORIZATION =
  /(authorization["']?\s*[:=]\s*\\?["']?)(?:[A-Za-z][A-Za-z0-9-]*\s+)?[A-Za-z0-9._~+/=-]+/gi;
const BEARER = /\b(Bearer\s+)[A-Za-z0-9._~+/-]{8,}=*/g;
/** The userinfo of a URL (RFC 3986, 3.2.1). */
const USERINFO = /([A-Za-z][A-Za-z0-9+.-]*:\/\/)[^\s/@"'\\]+@/g;

/**
 * Hides secrets in a text that others will read: those that are known, and what has the form of a credential. It is the second
 * line: whoever writes a message does not put a secret into it.
 */
export function redactSecrets(text: string, known: Iterable<string> = []): string {
  let shown = text;
  for (const secret of known) if (secret !== '') shown = shown.replaceAll(secret, HIDDEN);
  return shown
    .replaceAll(USERINFO, `$1${HIDDEN}@`)
    .replaceAll(AUTHORIZATION, `$1${HIDDEN}`)
    .replaceAll(BEARER, `$1${HIDDEN}`);
}

/**
 * The text as one line without characters that steer a terminal (C0, C1, and Unicode's separators of lines and
 * paragraphs): what comes from elsewhere can neither begin a line of its own nor repaint one.
 */
export function onOneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}
