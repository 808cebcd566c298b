#include "CCurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// curl.h wraps these in type-checking macros; the functions themselves are meant here.
#undef curl_easy_setopt
#undef curl_easy_getinfo

struct ccurl_library {
    curl_version_info_data *(*version_info)(CURLversion);
    CURLcode (*global_init)(long);
    CURL *(*init)(void);
    void (*cleanup)(CURL *);
    CURLcode (*setopt)(CURL *, CURLoption, ...);
    CURLcode (*getinfo)(CURL *, CURLINFO, ...);
    CURLcode (*perform)(CURL *);
    const char *(*strerror)(CURLcode);
    struct curl_slist *(*append)(struct curl_slist *, const char *);
    void (*free_all)(struct curl_slist *);
};

ccurl_library *ccurl_open(const char *name, char *why, size_t capacity) {
    void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        const char *reason = dlerror();
        snprintf(why, capacity, "%s", reason != NULL ? reason : "the loader gave no reason");
        return NULL;
    }
    ccurl_library *library = calloc(1, sizeof *library);
    if (library == NULL) {
        snprintf(why, capacity, "there is not enough memory");
        dlclose(handle);
        return NULL;
    }
    const struct { const char *symbol; void **place; } wanted[] = {
        { "curl_global_init", (void **)&library->global_init },
        { "curl_easy_init", (void **)&library->init },
        { "curl_easy_cleanup", (void **)&library->cleanup },
        { "curl_easy_setopt", (void **)&library->setopt },
        { "curl_easy_getinfo", (void **)&library->getinfo },
        { "curl_easy_perform", (void **)&library->perform },
        { "curl_easy_strerror", (void **)&library->strerror },
        { "curl_slist_append", (void **)&library->append },
        { "curl_slist_free_all", (void **)&library->free_all },
        { "curl_version_info", (void **)&library->version_info },
    };
    for (size_t index = 0; index < sizeof wanted / sizeof *wanted; index++) {
        *wanted[index].place = dlsym(handle, wanted[index].symbol);
        if (*wanted[index].place == NULL) {
            snprintf(why, capacity, "%s has no %s", name, wanted[index].symbol);
            free(library);
            dlclose(handle);
            return NULL;
        }
    }
    // Without CURLOPT_QUICK_EXIT a request waits for the resolver, which asks a dead server for up to minutes.
    int waits = library->version_info(CURLVERSION_NOW)->version_num < 0x075700;
    if (waits) setenv("RES_OPTIONS", "timeout:2 attempts:1", 0);
    CURLcode code = library->global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) {
        snprintf(why, capacity, "%s", library->strerror(code));
        free(library);
        return NULL;
    }
    return library;
}

CURL *ccurl_make(ccurl_library *library) { return library->init(); }
void ccurl_free(ccurl_library *library, CURL *handle) { library->cleanup(handle); }

CURLcode ccurl_set_long(ccurl_library *library, CURL *handle, CURLoption option, long value) {
    return library->setopt(handle, option, value);
}

CURLcode ccurl_set_text(ccurl_library *library, CURL *handle, CURLoption option, const char *value) {
    return library->setopt(handle, option, value);
}

CURLcode ccurl_set_blob(
    ccurl_library *library, CURL *handle, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = { .data = (void *)bytes, .len = count, .flags = CURL_BLOB_COPY };
    return library->setopt(handle, option, &blob);
}

CURLcode ccurl_set_pointer(ccurl_library *library, CURL *handle, CURLoption option, void *value) {
    return library->setopt(handle, option, value);
}

CURLcode ccurl_set_callback(ccurl_library *library, CURL *handle, CURLoption option, curl_write_callback value) {
    return library->setopt(handle, option, value);
}

CURLcode ccurl_set_progress(ccurl_library *library, CURL *handle, curl_xferinfo_callback value, void *place) {
    CURLcode code = library->setopt(handle, CURLOPT_XFERINFOFUNCTION, value);
    if (code == CURLE_OK) code = library->setopt(handle, CURLOPT_XFERINFODATA, place);
    if (code == CURLE_OK) code = library->setopt(handle, CURLOPT_NOPROGRESS, 0L);
    return code;
}

struct curl_slist *ccurl_append(ccurl_library *library, struct curl_slist *list, const char *text) {
    return library->append(list, text);
}

void ccurl_free_list(ccurl_library *library, struct curl_slist *list) { library->free_all(list); }

CURLcode ccurl_perform(ccurl_library *library, CURL *handle) {
    sigset_t pipe, pending, before;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigemptyset(&pending);
    sigpending(&pending);
    // One that was pending before is not ours to take.
    int ours = !sigismember(&pending, SIGPIPE);
    if (!ours || pthread_sigmask(SIG_BLOCK, &pipe, &before) != 0) return library->perform(handle);

    CURLcode code = library->perform(handle);

    const struct timespec none = { 0, 0 };
    while (sigtimedwait(&pipe, NULL, &none) == SIGPIPE) {}
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

CURLcode ccurl_get_long(ccurl_library *library, CURL *handle, CURLINFO info, long *value) {
    return library->getinfo(handle, info, value);
}

const char *ccurl_explain(ccurl_library *library, CURLcode code) { return library->strerror(code); }
