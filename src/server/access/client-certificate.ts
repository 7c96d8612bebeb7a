import type { TLSSocket } from 'node:tls';

/**
 * Whether the verified certificate of a client has a name that is allowed.
 * @param allowedSans any where empty
 */
export function hasAllowedSan(socket: TLSSocket, allowedSans: readonly string[]): boolean {
  return allowedSans.length === 0 || sansOf(socket).some((name) => allowedSans.includes(name));
}

/** `DNS:scraper.example, IP Address:10.0.0.7` → its names; none where one of them is quoted, which no honest name needs. */
function sansOf(socket: TLSSocket): readonly string[] {
  const text = socket.getPeerX509Certificate()?.subjectAltName ?? '';
  return text.includes('"') ? [] : text.split(', ').map((entry) => entry.slice(entry.indexOf(':') + 1));
}
