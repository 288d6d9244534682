// The reflection service: clients like grpcurl learn the API from the server.
//
// The descriptors come from protobufjs, which calls the hidden message behind a map field after the field ("Requests")
// where protobuf demands "RequestsEntry"; strict clients then refuse the whole file. Names are mended here. The files
// are read once more for it, as descriptors must carry the names of the .proto and not those of JavaScript.
import type { Server } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as healthProto } from 'grpc-health-check';
import descriptor from 'protobufjs/ext/descriptor/index.js';
import { controlProtoFiles } from './load-proto.ts';

/** Adds reflection (v1 and v1alpha) for the services that the server has. */
export function addReflection(server: Server, protoDirectory: string, services: readonly string[]): void {
  const own = loadSync([...controlProtoFiles], { keepCase: true, includeDirs: [protoDirectory] });
  const health = loadSync(healthProto, { keepCase: true });
  const definition = mended({ ...own, ...health });
  new ReflectionService(definition, { services: [...services] }).addToServer(server);
}

interface Message {
  readonly field?:
    | { readonly name?: string | null; jsonName?: string | null; typeName?: string | null }[]
    | null;
  readonly nestedType?:
    | (Message & { name?: string | null; readonly options?: { mapEntry?: boolean | null } | null })[]
    | null;
}

function mended(definition: PackageDefinition): PackageDefinition {
  const files = new Map<Buffer, Buffer>();
  const entries = Object.entries(definition).map(([name, part]) => {
    // Services have none; the array tells a message from a service with a method of that name.
    if (!('fileDescriptorProtos' in part) || !Array.isArray(part.fileDescriptorProtos)) return [name, part];
    const fileDescriptorProtos = part.fileDescriptorProtos.map((bytes) => {
      const known = files.get(bytes) ?? mendedFile(bytes);
      files.set(bytes, known);
      return known;
    });
    return [name, { ...part, fileDescriptorProtos }];
  });
  return Object.fromEntries(entries) as PackageDefinition; // the same parts under the same names
}

function mendedFile(bytes: Buffer): Buffer {
  const file = descriptor.FileDescriptorProto.decode(bytes);
  for (const message of (file as unknown as { messageType: Message[] }).messageType) mendMessage(message);
  return Buffer.from(descriptor.FileDescriptorProto.encode(file).finish());
}

function mendMessage(message: Message): void {
  for (const field of message.field ?? []) field.jsonName = jsonName(field.name ?? '');
  for (const nested of message.nestedType ?? []) {
    mendMessage(nested);
    if (nested.options?.mapEntry !== true) continue;
    const old = nested.name ?? '';
    const field = message.field?.find(
      ({ typeName }) => typeName === old || typeName?.endsWith(`.${old}`) === true,
    );
    if (field === undefined) continue;
    nested.name = mapEntryName(field.name ?? '');
    field.typeName = `${(field.typeName ?? '').slice(0, -old.length)}${nested.name}`;
  }
}

/** "user_counts" → "userCounts", the name in proto3's JSON form. */
function jsonName(field: string): string {
  return field.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** "user_counts" → "UserCountsEntry". */
function mapEntryName(field: string): string {
  const words = field.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join('')}Entry`;
}
