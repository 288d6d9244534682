// breaks: nact-only-in-supervision
import { start } from 'nact';

export const spawned = start();
