import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * Whether a connection proved by a certificate, signed by an authority of the configuration, that it is a client that is
 * allowed. @param allowedSans names of which the certificate must have one; any where empty
 */
export function hasAllowedCertificate(socket: Socket, allowedSans: readonly string[]): boolean {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return false;
  return allowedSans.length === 0 || sansOf(socket).some((name) => allowedSans.includes(name));
}

/** `DNS:scraper.example, IP Address:10.0.0.7` → its names; none where one of them is quoted, which no honest name needs. */
function sansOf(socket: TLSSocket): readonly string[] {
  const text = socket.getPeerX509Certificate()?.subjectAltName ?? '';
  return text.includes('"') ? [] : text.split(', ').map((entry) => entry.slice(entry.indexOf(':') + 1));
}
