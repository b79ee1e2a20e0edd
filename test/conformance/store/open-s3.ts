import { S3Store } from '../../../src/store/s3.ts';
import type { Store } from '../../../src/store/store.ts';
import { awsRegion, rootAccess } from '../../bed/s3.ts';

export function openStore(endpoint: string, bucket: string, prefix: string): Store {
  const credential = async () => rootAccess;
  return new S3Store('bed', { kind: 's3', bucket, prefix, endpoint, awsRegion, forcePathStyle: true, credential });
}
