import { Command } from 'commander';
import { addFleetBench } from '../fleet/fleet-bench.ts';
import { addFleetCompare } from '../fleet/fleet-compare.ts';
import { addFleetSd } from '../fleet/fleet-sd.ts';
import { addFleetStatus } from '../fleet/fleet-status.ts';
import type { Terminal } from '../terminal.ts';

export function fleetCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const fleet = new Command('fleet').description(
    'the agents of many hosts: how they are, one benchmark on all of them, and which host is slower than its like',
  );
  addFleetStatus(fleet, terminal, exit);
  addFleetBench(fleet, terminal, exit);
  addFleetCompare(fleet, terminal, exit);
  addFleetSd(fleet, terminal, exit);
  return fleet;
}
