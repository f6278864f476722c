/** Certificates for tests, made by openssl(1): authorities, and what they sign. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { TlsTexts } from '../../../../src/rpc/socket/tls.js';
import { temporaryFolder } from './ends.js';

function openssl(folder: string, ...args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export class Authority {
  readonly #folder = temporaryFolder();

  constructor(name: string) {
    const names = ['-subj', `/CN=${name}`, '-keyout', 'ca.key', '-out', 'ca.crt'];
    openssl(this.#folder, 'req', '-x509', ...NEW_KEY, '-days', '2', ...names);
  }

  get certificate(): string {
    return fs.readFileSync(join(this.#folder, 'ca.crt'), 'utf8');
  }

  /** For localhost; of that common name, valid for so many days. `ca`: whom its owner trusts. */
  sign(name: string, { days = 2, ca = this.certificate } = {}): TlsTexts {
    const folder = this.#folder;
    openssl(folder, 'req', '-new', ...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', 'k', '-out', 'r');
    fs.writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', `${days}`];
    openssl(folder, 'x509', '-req', '-in', 'r', ...by, '-extfile', 'names', '-out', 'c');
    return {
      cert: fs.readFileSync(join(folder, 'c'), 'utf8'),
      key: fs.readFileSync(join(folder, 'k'), 'utf8'),
      ca,
    };
  }

  remove(): void {
    fs.rmSync(this.#folder, { recursive: true });
  }
}
