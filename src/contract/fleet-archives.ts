// Where archives of the scripts of old lie, in fleet.yaml.

import { z } from 'zod';
import { keyPath, name } from './fleet-fields.ts';
import { secretRefSchema } from './secret-ref.ts';

export const archivesSchema = z
  .strictObject({
    folder: keyPath.optional().describe('a folder of the machine that data workers run on, relative to the fleet file'),
    store: name.optional().describe('instead of `folder`: one of `stores`, whose objects are archives'),
    passphrase: secretRefSchema
      .optional()
      .describe(
        'what archives were encrypted with (`gpg --symmetric`, `openssl enc`), or the passphrase of the key in gpgHome',
      ),
    gpgHome: keyPath
      .optional()
      .describe("gpg's own folder (GNUPGHOME), for archives that were encrypted to a public key"),
  })
  .refine(
    (value) => (value.folder === undefined) !== (value.store === undefined),
    'exactly one of folder and store is needed',
  );
