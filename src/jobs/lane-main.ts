import { laneThreadMain } from './lane-thread.ts';

await laneThreadMain();
