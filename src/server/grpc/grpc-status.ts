/** The codes that a call can end with, as gRPC numbers them (grpc/grpc, doc/statuscodes.md). */
export const GRPC_CODE = {
  ok: 0,
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

export type GrpcCode = (typeof GRPC_CODE)[keyof typeof GRPC_CODE];

/** How a call ended that has no answer. */
export interface GrpcFailure {
  readonly code: Exclude<GrpcCode, 0>;
  /** A sentence for whoever called. */
  readonly message: string;
}

/** As headers or trailers. The message is percent-encoded, whatever is not printable ASCII. */
export function statusHeaders({ code, message }: { readonly code: GrpcCode; readonly message?: string }) {
  return {
    'grpc-status': String(code),
    ...(message === undefined ? {} : { 'grpc-message': percentEncode(message) }),
  };
}

const TIMEOUT_UNIT_MS = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 } as const;

/** How long the caller waits, of the header `grpc-timeout`; undefined where it does not say, NaN where it says no time. */
export function timeoutMs(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined;
  const match = /^([0-9]{1,8})([HMSmun])$/.exec(String(header));
  return match === null
    ? Number.NaN
    : Number(match[1]) * TIMEOUT_UNIT_MS[match[2] as keyof typeof TIMEOUT_UNIT_MS];
}

function percentEncode(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
}
