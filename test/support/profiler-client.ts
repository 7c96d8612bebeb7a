import {
  bytesOf,
  lengthField,
  readFields,
  textOf,
  varintField,
} from '../../src/server/grpc/protobuf-fields.ts';
import { grpcCaller } from './grpc-client.ts';
import { type ReadXSpace, readXSpace } from './read-xspace.ts';

export interface Captured {
  readonly status: string;
  readonly details: string;
  /** The trace, where there is one. */
  readonly xspace?: ReadXSpace;
  readonly bytes?: Uint8Array;
}

/** Captures as clients of TensorFlow do. */
export function profilerClient(port: number) {
  const { call } = grpcCaller(port);
  return {
    profile: async (
      durationMs: number,
      { sessionId = 'test', signal }: { readonly sessionId?: string; readonly signal?: AbortSignal } = {},
    ): Promise<Captured> => {
      const request = Buffer.concat([
        varintField(1, durationMs),
        lengthField(5, '/somewhere/else'),
        lengthField(6, sessionId),
      ]);
      const options = { deadlineMs: 60_000, ...(signal === undefined ? {} : { signal }) };
      const { status, details, response } = await call(
        '/tensorflow.ProfilerService/Profile',
        request,
        options,
      );
      const bytes = response === undefined ? undefined : traceIn(response);
      return { status, details, ...(bytes === undefined ? {} : { bytes, xspace: readXSpace(bytes) }) };
    },
    terminate: (sessionId: string) =>
      call('/tensorflow.ProfilerService/Terminate', lengthField(1, sessionId)),
    monitor: async (durationMs: number): Promise<string> => {
      const { response } = await call('/tensorflow.ProfilerService/Monitor', varintField(1, durationMs));
      return [...readFields(response ?? Buffer.alloc(0))]
        .filter(({ number }) => number === 1)
        .map(textOf)
        .join('');
    },
  };
}

/** The data of the tool `xplane.pb`. */
function traceIn(response: Uint8Array): Uint8Array | undefined {
  for (const field of readFields(response)) {
    if (field.number !== 6) continue;
    const [name, data] = [...readFields(bytesOf(field))];
    if (name !== undefined && data !== undefined && textOf(name) === 'xplane.pb') return bytesOf(data);
  }
  return undefined;
}
