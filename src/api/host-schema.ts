import Type from 'typebox';
import { DEVICES } from '../core/device.ts';
import { HostFingerprintSchema } from './run-result-schema.ts';
import { boolean, integer, oneOf, text, time } from './schema-words.ts';

const DeviceSchema = Type.Object(
  {
    device: oneOf(DEVICES, 'as benchmarks name it'),
    available: boolean('it has what it needs, as far as files tell'),
    reason: Type.Optional(text('what is missing')),
    howToGet: Type.Optional(text('what to do about it')),
  },
  { title: 'Device', description: 'where models can run' },
);

export const HostSchema = Type.Object(
  {
    host: HostFingerprintSchema,
    devices: Type.Optional(
      Type.Array(DeviceSchema, { description: 'absent while a run keeps the daemon from looking' }),
    ),
    gpus: Type.Optional(
      Type.Array(
        Type.Object({
          address: text('on the PCI bus'),
          vendor: text('its name'),
          id: text('vendor and device'),
        }),
        {
          description: 'what is plugged in',
        },
      ),
    ),
    nvmeDrives: Type.Optional(
      Type.Array(
        Type.Object({
          name: text('such as nvme0'),
          model: text('of the vendor'),
          sizeBytes: integer('of all namespaces'),
        }),
      ),
    ),
    sampler: text('the state of what reads the host'),
    startedAt: time('when the daemon started'),
  },
  { title: 'Host', description: 'what the host is and has' },
);

export const SettingsSchema = Type.Object(
  {
    listen: Type.Object({ host: Type.String(), port: Type.Integer() }),
    profilesDir: text('the folder of profiles'),
    dataDir: text('the folder of results and artifacts'),
    samplerIntervalMs: Type.Number({ description: 'between two samples of the host' }),
  },
  { title: 'Settings', description: 'what the daemon goes by; more of it, but no secrets' },
);
