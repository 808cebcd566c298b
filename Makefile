# The two that matter: make run, make test. Each target is the script of its name in Packaging/scripts.
# Build caches live outside the repository: see Packaging/scripts/settings.

.PHONY: run test fuzz lab bench soak lint format build install uninstall deb tarball release clean

run test fuzz lab bench soak lint format build install uninstall deb tarball release clean:
	@Packaging/scripts/$@
