// breaks: nobody-imports-app
// breaks: control-imports
import { app } from '../app/app.ts';

export const copy = app;
