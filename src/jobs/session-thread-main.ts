import { sessionThreadMain } from './session-thread.ts';

sessionThreadMain();
