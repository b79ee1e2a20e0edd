// What members of one tree may be, so that unpacking writes inside the tree only: relative names without `..`, each
// once, none below a member that is no directory (a symlink would lead out), hard links only to what came before.
// Names are byte strings (latin1). Says what is wrong without naming a file.

import { limits } from '../domain/limits.ts';

export const memberTypes = ['file', 'directory', 'symlink', 'link'] as const;
export type MemberType = (typeof memberTypes)[number];

export interface TreeMember {
  readonly name: string;
  readonly type: MemberType;
  /** Target of a hard link: a name of the same tree. */
  readonly link?: string;
}

export class TreeRules {
  readonly #members = new Map<string, MemberType>();
  readonly #parents = new Set<string>();

  /** @returns what is wrong with this member, after those before it; undefined when nothing is */
  add(member: TreeMember): string | undefined {
    const { name, type, link } = member;
    const wrong = nameFault(name) ?? this.#placeFault(name, type) ?? this.#linkFault(type, link);
    if (wrong === undefined) this.#remember(member);
    return wrong;
  }

  /**
   * A member that is unpacked after those before it, and may take the place of one of its name.
   * @param how `unlinks`: what is there goes first (tar); `writes`: into what is there (a range), which may be no link
   * @returns what is wrong with it
   */
  replace(member: TreeMember, how: 'unlinks' | 'writes'): string | undefined {
    const { name, type, link } = member;
    const before = this.#members.get(name);
    if (before === undefined) return this.add(member);
    if ((before === 'directory') !== (type === 'directory'))
      return 'a directory in the place of a file, or a file in that of a directory';
    if (how === 'writes' && before !== 'file') return 'a range in the place of a link';
    const wrong = this.#linkFault(type, link);
    if (wrong === undefined) this.#remember(member);
    return wrong;
  }

  #placeFault(name: string, type: MemberType): string | undefined {
    if (this.#members.has(name)) return 'the same name twice';
    if (type !== 'directory' && this.#parents.has(name)) return 'a file where others need a directory';
    const through = parentsOf(name).some((parent) => (this.#members.get(parent) ?? 'directory') !== 'directory');
    return through ? 'a name that leads through a link or file' : undefined;
  }

  #linkFault(type: MemberType, link: string | undefined): string | undefined {
    if (type !== 'link') return undefined;
    const target = link === undefined ? undefined : this.#members.get(link);
    return target === undefined || target === 'directory' ? 'a hard link to no earlier file of the archive' : undefined;
  }

  /** A hard link counts as what it links to. */
  #remember({ name, type, link = '' }: TreeMember): void {
    this.#members.set(name, type === 'link' ? (this.#members.get(link) ?? type) : type);
    for (const parent of parentsOf(name)) this.#parents.add(parent);
  }
}

/** What is wrong with a name by itself. */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'an empty name';
  if (name.length > limits.pathBytes) return `a name of ${name.length} bytes`;
  if (name.startsWith('/')) return 'an absolute name';
  const parts = name.split('/');
  if (parts.includes('..')) return 'a name with ..';
  if (parts.includes('') || parts.includes('.') || name.includes('\0'))
    return 'a name that is not in its simplest form';
  return undefined;
}

function parentsOf(name: string): string[] {
  const parents: string[] = [];
  for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) parents.push(name.slice(0, at));
  return parents;
}
