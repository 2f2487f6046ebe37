"""Before anything is coloured: shots, references, the manifest, and the parts of a job."""
