// breaks: artwork-imports
import { root } from '../origins/origin.ts';

export const folder = root;
