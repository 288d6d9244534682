// breaks: cli-sees-the-control-client-only
import { copy } from '../control/uses-app.ts';

export const again = copy;
