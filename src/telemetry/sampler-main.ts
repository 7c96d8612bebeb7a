/** The entry of a sampler process. */
import { COLLECTORS } from './collectors/all.ts';
import { runSamplerProcess } from './sampler-process.ts';

runSamplerProcess(COLLECTORS);
