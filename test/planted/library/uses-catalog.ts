// breaks: library-imports
import type { Row } from '../catalog/row.ts';

export type Copy = Row;
