import { familyGroup } from './family-table.ts';
import type { HostSnapshot } from './host-snapshot.ts';

const DISKS = familyGroup({
  items: ({ disks }: HostSnapshot) => disks ?? [],
  labelNames: ['device'],
  labels: ({ device }) => ({ device }),
  rows: [
    {
      name: 'ptq_disk_read_bytes_total',
      type: 'counter',
      help: 'Bytes read from the device.',
      value: (disk) => disk.readBytes,
    },
    {
      name: 'ptq_disk_written_bytes_total',
      type: 'counter',
      help: 'Bytes written to the device.',
      value: (disk) => disk.writtenBytes,
    },
    {
      name: 'ptq_disk_reads_total',
      type: 'counter',
      help: 'Reads that the device completed.',
      value: (disk) => disk.reads,
    },
    {
      name: 'ptq_disk_writes_total',
      type: 'counter',
      help: 'Writes that the device completed.',
      value: (disk) => disk.writes,
    },
    {
      name: 'ptq_disk_read_time_seconds_total',
      type: 'counter',
      help: 'Time that reads took, summed over reads; by their number it is the mean latency.',
      value: (disk) => disk.readSeconds,
    },
    {
      name: 'ptq_disk_write_time_seconds_total',
      type: 'counter',
      help: 'Time that writes took, summed over writes.',
      value: (disk) => disk.writeSeconds,
    },
    {
      name: 'ptq_disk_in_flight_requests',
      type: 'gauge',
      help: 'Requests that were with the device when it was read.',
      value: (disk) => disk.inFlight,
    },
    {
      name: 'ptq_disk_io_time_seconds_total',
      type: 'counter',
      help: 'Time in which the device had at least one request in flight.',
      value: (disk) => disk.ioTimeSeconds,
    },
    {
      name: 'ptq_disk_io_time_weighted_seconds_total',
      type: 'counter',
      help: 'Time summed over the requests in flight; its rate is the mean queue depth.',
      value: (disk) => disk.weightedIoTimeSeconds,
    },
  ],
});

const NVME = familyGroup({
  items: ({ nvmeHealth }: HostSnapshot) => nvmeHealth?.drives ?? [],
  labelNames: ['device'],
  labels: ({ device }) => ({ device }),
  rows: [
    {
      name: 'ptq_nvme_temperature_celsius',
      type: 'gauge',
      help: 'Composite temperature of the drive.',
      value: (drive) => drive.temperatureCelsius,
    },
    {
      name: 'ptq_nvme_percentage_used_ratio',
      type: 'gauge',
      help: 'How much of its life the drive has used, as its maker estimates it; may exceed 1.',
      value: (drive) => drive.percentageUsedRatio,
    },
    {
      name: 'ptq_nvme_available_spare_ratio',
      type: 'gauge',
      help: 'Spare capacity that is left.',
      value: (drive) => drive.availableSpareRatio,
    },
    {
      name: 'ptq_nvme_critical_warning',
      type: 'gauge',
      help: 'The bits of the critical warning of the health log; 0 is well.',
      value: (drive) => drive.criticalWarning,
    },
    {
      name: 'ptq_nvme_media_errors_total',
      type: 'counter',
      help: 'Errors of integrity that the drive could not correct.',
      value: (drive) => drive.mediaErrors,
    },
    {
      name: 'ptq_nvme_unsafe_shutdowns_total',
      type: 'counter',
      help: 'Times that the drive lost power without being told.',
      value: (drive) => drive.unsafeShutdowns,
    },
    {
      name: 'ptq_nvme_data_read_bytes_total',
      type: 'counter',
      help: 'Bytes that the drive was asked to read in its life.',
      value: (drive) => drive.dataReadBytes,
    },
    {
      name: 'ptq_nvme_data_written_bytes_total',
      type: 'counter',
      help: 'Bytes that the drive was asked to write in its life.',
      value: (drive) => drive.dataWrittenBytes,
    },
  ],
});

export const DISK_FAMILIES = [DISKS, NVME];
