/* dynamo: one phase of the bench on the items of `files`, through DynamoDB's API, on a server that listens on this machine's loopback (dynalite): one client, one connection
 * that is kept open.
 *
 *   dynamo [-n ITEMS] [-d PARTITIONS] [-b BYTES] [-s SAMPLE] PHASE PORT
 *
 * Phases, with the keys, the contents and the order that they have there: table (makes it, and prints nothing), create and overwrite (PutItem), read
 * (GetItem), query (ten items from a key on). The line is that of `files`, without percentiles. Requests carry a signature's form and no signature: dynalite looks no further.
 */
#include "item.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 17 };

static struct {
	long items, partitions, bytes, sample;
	int port, connection;
	char body[ROOM], request[ROOM + 1024], answer[ROOM], filling[ROOM / 2];
} bench = {.items = 1000, .partitions = 10, .bytes = 300};

static void die(const char *what)
{
	fprintf(stderr, "dynamo: %s\n", what);
	exit(1);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void connect_to_server(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)bench.port)};
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bench.connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bench.connection < 0 || connect(bench.connection, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("nobody listens there");
	setsockopt(bench.connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static bool send_all(const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(bench.connection, bytes, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		bytes += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* Reads an answer whole; its length is said in its head. */
static bool read_answer(void)
{
	size_t have = 0;

	for (;;) {
		ssize_t n = read(bench.connection, bench.answer + have, sizeof(bench.answer) - 1 - have);
		const char *end, *length;

		if (n <= 0)
			return false;
		have += (size_t)n;
		bench.answer[have] = '\0';
		end = strstr(bench.answer, "\r\n\r\n");
		length = end ? strcasestr(bench.answer, "content-length:") : NULL;
		if (length && length < end && have >= (size_t)(end + 4 - bench.answer) + strtoul(length + 15, NULL, 10))
			return true;
	}
}

/* A server closes a connection on which nothing came for seconds (this process may have been stopped): then once more on a new one, as every client does. */
static void ask(const char *bytes, size_t n)
{
	if (send_all(bytes, n) && read_answer())
		return;
	close(bench.connection);
	connect_to_server();
	if (!send_all(bytes, n) || !read_answer())
		die("the server hangs up, or its answer is too long");
}

__attribute__((format(printf, 2, 3))) static void call(const char *operation, const char *format, ...)
{
	va_list list;
	int body, n;

	va_start(list, format);
	body = vsnprintf(bench.body, sizeof(bench.body), format, list);
	va_end(list);
	n = snprintf(bench.request, sizeof(bench.request),
		     "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
		     "X-Amz-Target: DynamoDB_20120810.%s\r\nX-Amz-Date: 20200101T000000Z\r\n"
		     "Authorization: AWS4-HMAC-SHA256 Credential=a/20200101/us-east-1/dynamodb/aws4_request, "
		     "SignedHeaders=host, Signature=b\r\nContent-Length: %d\r\n\r\n%s",
		     operation, body, bench.body);
	if (body >= (int)sizeof(bench.body) || n >= (int)sizeof(bench.request))
		die("a request is too long");
	ask(bench.request, (size_t)n);
	if (strncmp(bench.answer, "HTTP/1.1 200", 12) != 0)
		die(bench.answer);
}

static void put(long number, const char *what)
{
	/* As many bytes as the document has that `files` writes. */
	int others = snprintf(NULL, 0, "{\"Group\":\"g%06ld\",\"Number\":%ld,\"What\":\"%s\",\"Filling\":\"\"}\n", number / ITEM_GROUP, number, what);
	size_t n = bench.bytes > others ? (size_t)(bench.bytes - others) : 0;

	item_fill(bench.filling, n, number);
	call("PutItem",
	     "{\"TableName\":\"bench\",\"Item\":{\"pk\":{\"S\":\"p%06ld\"},\"sk\":{\"S\":\"%08ld\"},\"Group\":{\"S\":\"g%06ld\"},"
	     "\"Number\":{\"N\":\"%ld\"},\"What\":{\"S\":\"%s\"},\"Filling\":{\"S\":\"%.*s\"}}}",
	     number % bench.partitions, number, number / ITEM_GROUP, number, what, (int)n, bench.filling);
}

static void create(long number)
{
	put(number, "created");
}

static void overwrite(long number)
{
	put(number, "overwritten");
}

static void get(long number)
{
	call("GetItem", "{\"TableName\":\"bench\",\"Key\":{\"pk\":{\"S\":\"p%06ld\"},\"sk\":{\"S\":\"%08ld\"}}}", number % bench.partitions, number);
	if (!strstr(bench.answer, "\"Item\""))
		die("an item is missing");
}

static void query(long number)
{
	call("Query",
	     "{\"TableName\":\"bench\",\"Limit\":10,\"KeyConditionExpression\":\"pk = :p AND sk >= :s\","
	     "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"p%06ld\"},\":s\":{\"S\":\"%08ld\"}}}",
	     number % bench.partitions, number);
	if (!strstr(bench.answer, "\"Filling\""))
		die("nothing is found");
}

static void make_table(void)
{
	call("CreateTable",
	     "{\"TableName\":\"bench\",\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},"
	     "{\"AttributeName\":\"sk\",\"AttributeType\":\"S\"}],\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},"
	     "{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"}],\"BillingMode\":\"PAY_PER_REQUEST\"}");
	for (int tries = 0; tries < 600; tries++) {
		call("DescribeTable", "{\"TableName\":\"bench\"}");
		if (strstr(bench.answer, "ACTIVE"))
			return;
		usleep(100000);
	}
	die("the table does not become active");
}

static void each(void (*one)(long number))
{
	uint64_t random = 1;

	for (long i = 0; i < bench.sample; i++)
		one((long)(next_random(&random) % (uint64_t)bench.items));
	for (long p = 0; p < bench.partitions && !bench.sample; p++)
		for (long i = 0; i < items_in(p, bench.items, bench.partitions); i++)
			one(p + i * bench.partitions);
}

static const struct {
	const char *name;
	void (*one)(long number);
} phases[] = {{"create", create}, {"overwrite", overwrite}, {"read", get}, {"query", query}};

static int run(const char *name)
{
	if (strcmp(name, "table") == 0) {
		make_table();
		return 0;
	}
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		double from = seconds();

		if (strcmp(phases[i].name, name) != 0)
			continue;
		each(phases[i].one);
		printf("{\"ops\":%ld,\"seconds\":%.6f,\"errors\":0,\"errno\":\"\"}\n", bench.sample ? bench.sample : bench.items, seconds() - from);
		return 0;
	}
	fprintf(stderr, "dynamo: there is no phase %s\n", name);
	return 2;
}

int main(int argc, char **argv)
{
	int letter, status;

	while ((letter = getopt(argc, argv, "n:d:b:s:")) != -1) {
		long value = optarg ? strtol(optarg, NULL, 10) : 0;

		switch (letter) {
		case 'n': bench.items = value; break;
		case 'd': bench.partitions = value; break;
		case 'b': bench.bytes = value; break;
		case 's': bench.sample = value; break;
		default: return 2;
		}
	}
	if (argc - optind != 2 || bench.items < 1 || bench.partitions < 1 || bench.bytes < 100 || bench.bytes > ROOM / 4) {
		fprintf(stderr, "usage: dynamo [-n ITEMS] [-d PARTITIONS] [-b BYTES] [-s SAMPLE] PHASE PORT\n");
		return 2;
	}
	bench.port = atoi(argv[optind + 1]);
	connect_to_server();
	status = run(argv[optind]);
	close(bench.connection);
	return status;
}
