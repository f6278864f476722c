/** Every target, by name. */
import { changelog } from './changelog.js';
import { control } from './control.js';
import { lines } from './lines.js';
import { pages } from './pages.js';
import { records } from './records.js';
import { filters, policies } from './settings.js';
import { stores } from './stores.js';
import type { Target } from './target.js';

export const TARGETS: readonly Target[] = [
  records,
  lines,
  filters,
  policies,
  changelog,
  pages,
  stores,
  control,
];
