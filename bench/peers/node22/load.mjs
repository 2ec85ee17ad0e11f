// Stands here so that names resolve to the packages of this folder.
export const load = name => import(name);
