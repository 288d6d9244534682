// Writes src/control/generated/: the TypeScript types of the control API, made from proto/. The result is committed;
// run this after a change of a .proto file. A test runs it into another folder and compares.
//
//   node scripts/generate-proto-types.ts [output folder]
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

/** The files that define services, and what errors carry; what they import is found from them. */
const roots = [
  'musicfs/v1/system.proto',
  'musicfs/v1/origin.proto',
  'musicfs/v1/cache.proto',
  'musicfs/v1/library.proto',
  'musicfs/v1/debug.proto',
  'google/rpc/status.proto',
  'google/rpc/error_details.proto',
];

// These options must say the same as src/control/load-proto.ts, or the types lie about the values.
const options = ['--longs=Number', '--enums=String', '--defaults', '--grpcLib=@grpc/grpc-js'];
const extensions = ['--targetFileExtension=.ts', '--importFileExtension=.ts'];

export function generateProtoTypes(outputDirectory: string): void {
  const loader = createRequire(import.meta.url).resolve('@grpc/proto-loader/package.json');
  const generator = path.join(path.dirname(loader), 'build/bin/proto-loader-gen-types.js');
  rmSync(outputDirectory, { recursive: true, force: true });
  const { status } = spawnSync(
    process.execPath,
    [generator, ...options, ...extensions, '-I', 'proto', '-O', outputDirectory, ...roots],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  if (status !== 0) throw new Error(`proto-loader-gen-types ended with ${status}`);
  // The files at the top describe whole .proto files for grpc.loadPackageDefinition, which nobody calls here.
  for (const entry of readdirSync(outputDirectory, { withFileTypes: true })) {
    if (entry.isFile()) rmSync(path.join(outputDirectory, entry.name));
  }
}

if (import.meta.main) {
  generateProtoTypes(path.resolve(process.argv[2] ?? path.join(root, 'src/control/generated')));
}
