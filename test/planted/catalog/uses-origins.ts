// breaks: catalog-imports
import { root } from '../origins/origin.ts';

export const copy = root;
