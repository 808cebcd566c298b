#pragma once
// libcurl pulls in some 36 libraries, which costs 6 ms and 8 MiB at start: it is opened when the first request
// over TCP is made, and never linked. Swift imports no variadic functions, so each kind of option has its own.
// Bit masks of protocols are deprecated, and all that a libcurl before 7.85 knows.
#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>
#include <stddef.h>

/// A library that has been opened, and the functions of it that are used.
typedef struct ccurl_library ccurl_library;

/// Opens a libcurl; NULL where that fails, with the loader's reason in `why`. It is never closed.
ccurl_library *ccurl_open(const char *name, char *why, size_t capacity);

CURL *ccurl_make(ccurl_library *library);
void ccurl_free(ccurl_library *library, CURL *handle);

CURLcode ccurl_set_long(ccurl_library *library, CURL *handle, CURLoption option, long value);
/// The text is copied; NULL takes a default away.
CURLcode ccurl_set_text(ccurl_library *library, CURL *handle, CURLoption option, const char *value);
/// The bytes are copied.
CURLcode ccurl_set_blob(ccurl_library *library, CURL *handle, CURLoption option, const void *bytes, size_t count);
CURLcode ccurl_set_pointer(ccurl_library *library, CURL *handle, CURLoption option, void *value);
CURLcode ccurl_set_callback(ccurl_library *library, CURL *handle, CURLoption option, curl_write_callback value);
/// Has `value` asked at least once a second whether to go on, with `place`; 0 to go on.
CURLcode ccurl_set_progress(ccurl_library *library, CURL *handle, curl_xferinfo_callback value, void *place);

/// Appends a copy of the text; NULL where memory ran out, the list itself is then unchanged.
struct curl_slist *ccurl_append(ccurl_library *library, struct curl_slist *list, const char *text);
void ccurl_free_list(ccurl_library *library, struct curl_slist *list);

/// Performs the request. A SIGPIPE that it raises in this thread is taken away, whatever the program does with
/// that signal: with CURLOPT_NOSIGNAL libcurl leaves it alone, and OpenSSL writes without MSG_NOSIGNAL.
CURLcode ccurl_perform(ccurl_library *library, CURL *handle);

CURLcode ccurl_get_long(ccurl_library *library, CURL *handle, CURLINFO info, long *value);
const char *ccurl_explain(ccurl_library *library, CURLcode code);
