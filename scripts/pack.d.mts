/** Packs a package folder as it would be published; resolves with the tarball's path. Nothing is left in the folder. */
export declare function pack(folder: string, destination: string): Promise<string>;
